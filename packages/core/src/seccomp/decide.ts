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

interface Building {
  clauses: Clause[];
  unconditional: number | undefined;
}

function building(calls: Map<number, Building>, number: number): Building {
  const found = calls.get(number) ?? { clauses: [], unconditional: undefined };
  calls.set(number, found);
  return found;
}

function addRule(call: Building, conditions: readonly Condition[], action: number): void {
  if (call.unconditional !== undefined) return;
  if (conditions.length > 0) {
    call.clauses.push({ conditions, action });
    return;
  }
  call.clauses = [];
  call.unconditional = action;
}

// On i386 a rule for "socket" is one for socketcall(1, …) too, whose other arguments are behind a pointer.
function addMultiplexed(calls: Map<number, Building>, arch: Arch, name: string, rule: Rule): void {
  for (const { number, calls: carried } of arch.multiplexers) {
    const value = carried.get(name);
    if (value === undefined) continue;
    const which: Condition = { index: 0, op: "EQ", value: BigInt(value), mask: 0xffff_ffff_ffff_ffffn };
    const others = rule.conditions.filter(({ index }) => index !== 0);
    addRule(building(calls, number), [which, ...others], rule.action);
  }
}

function addNamed(calls: Map<number, Building>, arch: Arch, rule: Rule): void {
  const numbers = syscallNumbers(arch.name);
  for (const name of rule.names) {
    addMultiplexed(calls, arch, name, rule);
    const number = numbers.get(name);
    if (number !== undefined) addRule(building(calls, number), rule.conditions, rule.action);
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
  const arch = ARCHES[name];
  const calls = new Map<number, Building>();
  for (const rule of profile.rules) if (rule.action !== profile.defaultAction) addNamed(calls, arch, rule);
  const otherwise = profile.defaultAction;
  const last = Math.max(lastNumber(profile, name), ...calls.keys());
  return {
    arch,
    calls: new Map(
      [...calls].map(([number, call]) => [
        number,
        { clauses: call.clauses, otherwise: call.unconditional ?? otherwise },
      ]),
    ),
    otherwise,
    newer: last < 0 ? otherwise : newerAction(profile, options),
    lastNumber: last,
  };
}

/** Names in the profile that no architecture of this program knows: ignored, as runc does. */
export function unknownNames(profile: Profile): string[] {
  const named = new Set(profile.rules.flatMap((rule) => rule.names));
  const all = Object.values(ARCHES).map(({ name }) => syscallNumbers(name));
  return [...named].filter((name) => !FOREIGN_CALLS.has(name) && !all.some((numbers) => numbers.has(name)));
}
