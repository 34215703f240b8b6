// Profile → for every call number of an architecture what decides it. The order and precedence are libseccomp's, because
// profiles are written against it: the first unconditional rule of a call wins and drops the conditional ones before it.
import { ARCHES, syscallNumbers, type Arch, type ArchName } from "./arches.ts";
import { FOREIGN_CALLS, RET_ACTION, RET_ALLOW, RET_LOG, RET_TRACE, RET_ERRNO, ENOSYS } from "./numbers.ts";
import type { Condition, Profile, Rule, SeccompOptions } from "./types.ts";

/** One alternative: the action when all conditions hold. */
export interface Clause {
  readonly conditions: readonly Condition[];
  readonly action: number;
}

/** What happens to one call: the first clause that holds, else `otherwise`. */
export interface Decision {
  readonly clauses: readonly Clause[];
  readonly otherwise: number;
  /** An unconditional rule was met: later ones don't count. */
  readonly isFinal: boolean;
}

/** All calls of one architecture. */
export interface ArchDecisions {
  readonly arch: Arch;
  readonly calls: ReadonlyMap<number, Decision>;
  /** Action for every number in no rule, up to `lastNumber`. */
  readonly otherwise: number;
  /** Action for numbers above `lastNumber`. */
  readonly newer: number;
  readonly lastNumber: number;
}

interface Building extends Decision {
  readonly clauses: Clause[];
}

type Calls = Map<number, Building>;

function addConditional(calls: Calls, number: number, clause: Clause, otherwise: number): void {
  const call = calls.get(number);
  if (call === undefined) calls.set(number, { clauses: [clause], otherwise, isFinal: false });
  else if (!call.isFinal) call.clauses.push(clause);
}

// On i386 a rule for "socket" is one for socketcall(1, …) too, whose other arguments are behind a pointer.
function addMultiplexed(calls: Calls, arch: Arch, rule: Rule, otherwise: number): void {
  for (const { number, calls: carried } of arch.multiplexers) {
    const values = rule.names.map((name) => carried.get(name)).filter((value) => value !== undefined);
    const others = rule.conditions.filter(({ index }) => index !== 0);
    for (const value of values) {
      const which: Condition = { index: 0, op: "EQ", value: BigInt(value), mask: 0xffff_ffff_ffff_ffffn };
      addConditional(calls, number, { conditions: [which, ...others], action: rule.action }, otherwise);
    }
  }
}

function addRule(calls: Calls, arch: Arch, rule: Rule, otherwise: number): void {
  const numbers = syscallNumbers(arch.name);
  addMultiplexed(calls, arch, rule, otherwise);
  const isFinal = rule.conditions.length === 0;
  const final: Building = { clauses: [], otherwise: rule.action, isFinal };
  for (const name of rule.names) {
    const number = numbers.get(name);
    if (number === undefined) continue;
    if (!isFinal) addConditional(calls, number, rule, otherwise);
    else if (calls.get(number)?.isFinal !== true) calls.set(number, final);
  }
}

// A profile that lets unknown calls through means it for new ones too; a tracer handles them itself.
function newerAction(profile: Profile, options: SeccompOptions): number {
  const isOpen = [RET_ALLOW, RET_LOG, RET_TRACE].includes((profile.defaultAction & RET_ACTION) >>> 0);
  return options.newer === "enosys" && !isOpen ? RET_ERRNO + ENOSYS : profile.defaultAction;
}

function lastNumber(profile: Profile, name: ArchName): number {
  const numbers = syscallNumbers(name);
  let last = -1;
  for (const rule of profile.rules) for (const call of rule.names) last = Math.max(last, numbers.get(call) ?? -1);
  return last;
}

/** The decisions of one architecture. */
export function decide(profile: Profile, name: ArchName, options: SeccompOptions): ArchDecisions {
  const otherwise = profile.defaultAction;
  const calls: Calls = new Map();
  for (const rule of profile.rules) if (rule.action !== otherwise) addRule(calls, ARCHES[name], rule, otherwise);
  const last = Math.max(lastNumber(profile, name), ...calls.keys());
  const newer = last < 0 ? otherwise : newerAction(profile, options);
  return { arch: ARCHES[name], calls, otherwise, newer, lastNumber: last };
}

/** Names in the profile that no architecture of this program knows: ignored, as runc does. */
export function unknownNames(profile: Profile): string[] {
  const isKnown = (name: string): boolean =>
    profile.arches.some((arch) => syscallNumbers(arch).has(name)) ||
    FOREIGN_CALLS.has(name) ||
    Object.values(ARCHES).some(({ name: arch }) => syscallNumbers(arch).has(name));
  const unknown = profile.rules.flatMap(({ names }) => names.filter((name) => !isKnown(name)));
  return [...new Set(unknown)];
}
