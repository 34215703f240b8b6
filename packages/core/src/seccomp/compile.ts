// OCI linux.seccomp → the program for seccomp(2). Pure: profile → checked → decided per architecture → graph → bytes.
// Layout: architecture first (a call of another one kills), then a search over call numbers, then arguments.
import { X32_BIT } from "./arches.ts";
import { checkProfile } from "./check.ts";
import { decisionNode } from "./conditions.ts";
import { decide, unknownNames, type ArchDecisions } from "./decide.ts";
import { Graph, JEQ, type NodeId } from "./graph.ts";
import { RET_KILL_THREAD, RET_USER_NOTIF } from "./numbers.ts";
import { searchSegments, type Segment } from "./search.ts";
import type { CompiledSeccomp, SeccompOptions, UncheckedSpec } from "./types.ts";

const NUMBER_OFFSET = 0;
const ARCH_OFFSET = 4;
/** A tracer skips a call by making it this number: not for us to kill. */
const SKIPPED = 0xffff_ffff;

// Numbers of one architecture, shifted to where they start in its word.
function numberSegments(graph: Graph, decisions: ArchDecisions, base: number): Segment<number>[] {
  const { arch, calls, lastNumber } = decisions;
  const otherwise = graph.ret(decisions.otherwise);
  const segments: Segment<number>[] = [];
  let next = 0;
  for (const number of Uint32Array.from(calls.keys()).sort()) {
    const node = decisionNode(graph, calls.get(number)!, arch.bits);
    if (number > next) segments.push({ start: base + next, node: otherwise });
    segments.push({ start: base + number, node });
    next = number + 1;
  }
  if (next <= lastNumber) segments.push({ start: base + next, node: otherwise });
  segments.push({ start: base + lastNumber + 1, node: graph.ret(decisions.newer) });
  return segments;
}

// x86_64 and x32 share a token; the bit in the number tells them apart, so they are halves of one search.
function withX32(graph: Graph, own: ArchDecisions, x32: ArchDecisions | undefined): Segment<number>[] {
  const segments = numberSegments(graph, own, 0);
  if (x32 !== undefined) return [...segments, ...numberSegments(graph, x32, X32_BIT)];
  const killed = { start: X32_BIT, node: graph.ret(RET_KILL_THREAD) };
  return [...segments, killed, { start: SKIPPED, node: graph.ret(own.otherwise) }];
}

function archNode(graph: Graph, own: ArchDecisions, all: readonly ArchDecisions[]): NodeId {
  const x32 = all.find(({ arch }) => arch.name === "x32");
  const segments = own.arch.name === "x86_64" ? withX32(graph, own, x32) : numberSegments(graph, own, 0);
  return searchSegments(graph, segments, (node) => graph.load(NUMBER_OFFSET, node));
}

function programOf(all: readonly ArchDecisions[]): Uint8Array {
  const graph = new Graph();
  let next = graph.ret(RET_KILL_THREAD);
  for (const own of all.toReversed()) {
    if (own.arch.name === "x32") continue;
    const matched = archNode(graph, own, all);
    // The next architecture's test finds the word loaded.
    next = graph.test(JEQ, own.arch.token, matched, next);
  }
  return graph.assemble(graph.load(ARCH_OFFSET, next));
}

/**
 * Compiles an OCI profile. Throws `ERR_LAP_SPEC_INVALID` naming the field, `ERR_LAP_SECCOMP_TOO_LONG` above 4096
 * instructions. Names of calls that no architecture here knows are ignored and listed in the warnings.
 */
export function compileSeccomp(spec: UncheckedSpec, options: SeccompOptions): CompiledSeccomp {
  const profile = checkProfile(spec, options);
  const unknown = unknownNames(profile);
  const ignored = unknown.length === 0 ? [] : [`linux.seccomp: unknown system calls ignored: ${unknown.join(", ")}`];
  return {
    program: programOf(profile.arches.map((name) => decide(profile, name, options))),
    flags: profile.flags,
    listener: profile.rules.some((rule) => rule.action === RET_USER_NOTIF),
    warnings: [...profile.warnings, ...ignored],
  };
}
