// Argument tests as graph nodes. A 64-bit argument is two words of `struct seccomp_data`, compared high half first;
// 32-bit architectures compare the low half only (seccomp(2), seccomp_data).
import type { Clause, Decision } from "./decide.ts";
import { JEQ, MAX_INSTRUCTIONS, tooLong, type Graph, type NodeId } from "./graph.ts";
import { type Segment, searchSegments } from "./search.ts";
import type { Condition } from "./types.ts";

const ARGS_OFFSET = 16;
const LOW = 0xffff_ffffn;

function lowWord(value: bigint): number {
  return Number(value & LOW);
}

function highWord(value: bigint): number {
  return Number(value >> 32n);
}

// Both architectures are little endian: the low half comes first.
function wordOffset(index: number, isHigh: boolean): number {
  return ARGS_OFFSET + index * 8 + (isHigh ? 4 : 0);
}

function maskedEqual(graph: Graph, condition: Condition, isHigh: boolean, yes: NodeId, no: NodeId): NodeId {
  const half = isHigh ? highWord : lowWord;
  const mask = half(condition.mask);
  const value = half(condition.value);
  if (mask === 0) return value === 0 ? yes : no;
  const test = graph.test(JEQ, value, yes, no);
  const masked = mask === 0xffff_ffff ? test : graph.and(mask, test);
  return graph.load(wordOffset(condition.index, isHigh), masked);
}

function maskedNode(graph: Graph, condition: Condition, bits: 32 | 64, yes: NodeId, no: NodeId): NodeId {
  const low = maskedEqual(graph, condition, false, yes, no);
  return bits === 32 ? low : maskedEqual(graph, condition, true, low, no);
}

// Every other operator is a set of intervals: the values from which it holds and no longer holds.
function intervals(condition: Condition, bits: 32 | 64, yes: NodeId, no: NodeId): Segment<bigint>[] {
  const end = 1n << BigInt(bits);
  const value = bits === 32 ? condition.value & LOW : condition.value;
  const holds = (from: bigint, to: bigint): Segment<bigint>[] => [
    { start: 0n, node: no },
    { start: from, node: yes },
    { start: to, node: no },
  ];
  const swapped = (): Segment<bigint>[] => [
    { start: 0n, node: yes },
    { start: value, node: no },
    { start: value + 1n, node: yes },
  ];
  const found = {
    EQ: () => holds(value, value + 1n),
    NE: swapped,
    LT: () => holds(0n, value),
    LE: () => holds(0n, value + 1n),
    GE: () => holds(value, end),
    GT: () => holds(value + 1n, end),
    MASKED_EQ: () => [],
  }[condition.op]();
  // A later entry with the same start replaces an earlier one that would be empty.
  return found.filter(({ start }, at) => start < end && found[at + 1]?.start !== start);
}

function splitByHigh(segments: readonly Segment<bigint>[], graph: Graph, index: number): NodeId {
  const highs: Segment<number>[] = [];
  const starts = segments.map(({ start }) => start);
  const cuts = [...new Set(starts.flatMap((start) => [start >> 32n, (start + LOW) >> 32n]))].filter(
    (high) => high <= LOW,
  );
  for (const high of cuts.toSorted((a, b) => (a < b ? -1 : 1))) {
    highs.push({ start: Number(high), node: lowNode(within(segments, high), graph, index) });
  }
  return searchSegments(graph, highs, (node) => graph.load(wordOffset(index, true), node));
}

// The part of a 64-bit range that has this high half.
function within(segments: readonly Segment<bigint>[], high: bigint): Segment<number>[] {
  const base = high << 32n;
  const before = segments.findLast(({ start }) => start <= base)!;
  const inside = segments.filter(({ start }) => start > base && start <= base + LOW);
  return [{ start: 0, node: before.node }, ...inside.map(({ start, node }) => ({ start: lowWord(start), node }))];
}

function lowNode(segments: readonly Segment<number>[], graph: Graph, index: number): NodeId {
  return searchSegments(graph, segments, (node) => graph.load(wordOffset(index, false), node));
}

function rangeNode(graph: Graph, index: number, bits: 32 | 64, segments: readonly Segment<bigint>[]): NodeId {
  if (bits === 64) return splitByHigh(segments, graph, index);
  return lowNode(
    segments.map(({ start, node }) => ({ start: Number(start), node })),
    graph,
    index,
  );
}

function conditionNode(graph: Graph, condition: Condition, bits: 32 | 64, yes: NodeId, no: NodeId): NodeId {
  if (condition.op === "MASKED_EQ") return maskedNode(graph, condition, bits, yes, no);
  return rangeNode(graph, condition.index, bits, intervals(condition, bits, yes, no));
}

function clauseNode(graph: Graph, clause: Clause, bits: 32 | 64, no: NodeId): NodeId {
  const yes = graph.ret(clause.action);
  return clause.conditions.reduceRight((next, condition) => conditionNode(graph, condition, bits, next, no), yes);
}

// Where a clause and all that follow it are single tests of one argument, they are one search over its values.
function isRange(clause: Clause, index: number): boolean {
  const [only] = clause.conditions;
  return clause.conditions.length === 1 && only!.index === index && only!.op !== "MASKED_EQ";
}

// Paints the clauses' intervals over one line of values, the last first, so that the first that holds decides.
function paint(clauses: readonly Clause[], graph: Graph, bits: 32 | 64, below: NodeId): Segment<bigint>[] {
  const through = -1;
  const layers = clauses.map(({ conditions, action }) => intervals(conditions[0]!, bits, graph.ret(action), through));
  const starts = [...new Set(layers.flat().map(({ start }) => start))].toSorted((a, b) => (a < b ? -1 : 1));
  const position = new Map(starts.map((start, at) => [start, at]));
  const nodes: NodeId[] = starts.map(() => below);
  for (const layer of layers.toReversed()) {
    for (const [at, { start, node }] of layer.entries()) {
      const next = layer[at + 1];
      if (node !== through) nodes.fill(node, position.get(start), next && position.get(next.start));
    }
  }
  const painted = starts.map((start, at) => ({ start, node: nodes[at]! }));
  return painted.filter(({ node }, at) => painted[at - 1]?.node !== node);
}

// Runs of clauses that are single tests of the same argument; any other clause is a run of its own.
function runs(clauses: readonly Clause[]): Clause[][] {
  const found: Clause[][] = [];
  for (const clause of clauses) {
    const [first] = found.at(-1) ?? [];
    const index = clause.conditions[0]!.index;
    if (first !== undefined && isRange(first, index) && isRange(clause, index)) found.at(-1)!.push(clause);
    else found.push([clause]);
  }
  return found;
}

/** The node that decides one call by its arguments; throws `ERR_LAP_SECCOMP_TOO_LONG` when that can never fit. */
export function decisionNode(graph: Graph, decision: Decision, bits: 32 | 64): NodeId {
  if (decision.clauses.length === 0) return graph.ret(decision.otherwise);
  if (decision.clauses.length > MAX_INSTRUCTIONS) throw tooLong();
  return runs(decision.clauses).reduceRight((below, run) => {
    const [first] = run;
    const index = first!.conditions[0]!.index;
    if (!isRange(first!, index)) return clauseNode(graph, first!, bits, below);
    return rangeNode(graph, index, bits, paint(run, graph, bits, below));
  }, graph.ret(decision.otherwise));
}
