// An OCI seccomp object that nobody checked → Profile. Every error names its field; what runc ignores is collected.
import { NATIVE_FAMILIES, type ArchName } from "./arches.ts";
import { invalid, list, object, shown } from "./fields.ts";
import {
  ACTIONS,
  ARCH_NAMES,
  EPERM,
  FLAGS,
  FLAG_NEW_LISTENER,
  FLAG_SPEC_ALLOW,
  FLAG_WAIT_KILLABLE_RECV,
  OPERATORS,
  RET_ERRNO,
  RET_TRACE,
  RET_USER_NOTIF,
} from "./numbers.ts";
import type { Condition, Profile, Rule, SeccompOptions, UncheckedSpec } from "./types.ts";

const MAX_U64 = 0xffff_ffff_ffff_ffffn;
/** More rules than any profile has (Moby's: about 80); a bound on what a hostile file can cost. */
const MAX_RULES = 16_384;
const MAX_NAMES = 65_536;
const MAX_NAME_LENGTH = 128;

// What the first process tells its supervisor under the filter already; write is what other runtimes refuse.
const HANDING_OVER: readonly string[] = ["write", "sendmsg"];

function known<T>(table: Readonly<Record<string, T>>, value: unknown, field: string, what: string): T {
  if (typeof value === "string" && Object.hasOwn(table, value)) return table[value]!;
  throw invalid(field, `unknown ${what} ${shown(value)}`);
}

function integer(value: unknown, field: string, max: number): number {
  if (typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= max) return value;
  throw invalid(field, `must be an integer from 0 to ${max}, not ${shown(value)}`);
}

// JSON numbers beyond 2^53 were rounded; all ones (2^64-1) arrives as 2^64.
function u64(value: unknown, field: string): bigint {
  if (typeof value === "bigint" && value >= 0n && value <= MAX_U64) return value;
  if (typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= 2 ** 64) {
    return value === 2 ** 64 ? MAX_U64 : BigInt(value);
  }
  throw invalid(field, `must be an integer from 0 to 2^64-1, not ${shown(value)}`);
}

function action(name: unknown, errno: unknown, field: string, errnoField: string, warnings: string[]): number {
  const value = known(ACTIONS, name, field, "action");
  const takesData = value === RET_ERRNO || value === RET_TRACE;
  if (errno === undefined || errno === null) return takesData ? value + EPERM : value;
  const data = integer(errno, errnoField, 0xffff);
  if (takesData) return value + data;
  warnings.push(`linux.seccomp${errnoField}: ${shown(name)} takes no errno, ignored`);
  return value;
}

function condition(value: unknown, field: string): Condition {
  const arg = object(value, field);
  const index = integer(arg["index"], `${field}.index`, 5);
  const op = known(OPERATORS, arg["op"], `${field}.op`, "operator");
  const first = u64(arg["value"], `${field}.value`);
  if (op !== "MASKED_EQ") return { index, op, value: first, mask: MAX_U64 };
  const second = arg["valueTwo"] ?? 0;
  return { index, op, mask: first, value: u64(second, `${field}.valueTwo`) & first };
}

function names(value: unknown, field: string): string[] {
  const found = list(value, field);
  if (found.length === 0) throw invalid(field, "must name at least one system call");
  return found.map((name, index) => {
    if (typeof name === "string" && name.length > 0 && name.length <= MAX_NAME_LENGTH) return name;
    throw invalid(`${field}[${index}]`, `must be a system call's name, not ${shown(name)}`);
  });
}

// Two tests of one argument in one rule are alternatives: what libseccomp refuses, runc and crun split.
function alternatives(conditions: readonly Condition[]): Condition[][] {
  const isRepeated = new Set(conditions.map(({ index }) => index)).size < conditions.length;
  return isRepeated ? conditions.map((one) => [one]) : [[...conditions]];
}

function rules(value: unknown, index: number, warnings: string[]): Rule[] {
  const field = `.syscalls[${index}]`;
  const rule = object(value, field);
  const called = names(rule["names"], `${field}.names`);
  const ret = action(rule["action"], rule["errnoRet"], `${field}.action`, `${field}.errnoRet`, warnings);
  const own = called.find((name) => HANDING_OVER.includes(name));
  if (ret === RET_USER_NOTIF && own !== undefined) {
    throw invalid(`${field}.action`, `SCMP_ACT_NOTIFY cannot be used for the ${own} syscall`);
  }
  const args = list(rule["args"], `${field}.args`).map((arg, at) => condition(arg, `${field}.args[${at}]`));
  return alternatives(args).map((conditions) => ({ names: called, action: ret, conditions }));
}

function arches(value: unknown, options: SeccompOptions): ArchName[] {
  const asked = list(value, ".architectures").map((name, index) =>
    known(ARCH_NAMES, name, `.architectures[${index}]`, "architecture"),
  );
  // The host's own is always there, and first: it is what nearly every call is made on.
  return NATIVE_FAMILIES[options.arch].filter((name) => name === options.arch || asked.includes(name));
}

function flags(value: unknown, hasListener: boolean, warnings: string[]): number {
  const asked = list(value, ".flags").map((name, index) => known(FLAGS, name, `.flags[${index}]`, "flag"));
  const own = hasListener ? FLAG_NEW_LISTENER : 0;
  // A profile without a list of flags gets runc's default; an empty list is none.
  const all = asked.reduce(
    (sum, flag) => sum | flag,
    value === undefined || value === null ? own | FLAG_SPEC_ALLOW : own,
  );
  if (hasListener || !(all & FLAG_WAIT_KILLABLE_RECV)) return all;
  warnings.push("linux.seccomp.flags: SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV needs a SCMP_ACT_NOTIFY rule, ignored");
  return all & ~FLAG_WAIT_KILLABLE_RECV;
}

/** Checks a profile; throws `ERR_LAP_SPEC_INVALID` that names the field. */
export function checkProfile(spec: UncheckedSpec, options: SeccompOptions): Profile {
  const json = object(spec, "");
  const warnings: string[] = [];
  const entries = list(json["syscalls"], ".syscalls");
  if (entries.length > MAX_RULES) throw invalid(".syscalls", `has ${entries.length} entries, at most ${MAX_RULES}`);
  const checked = entries.flatMap((entry, index) => rules(entry, index, warnings));
  const count = checked.reduce((sum, rule) => sum + rule.names.length, 0);
  if (count > MAX_NAMES) throw invalid(".syscalls", `has ${count} names, at most ${MAX_NAMES}`);
  const fallback = action(
    json["defaultAction"],
    json["defaultErrnoRet"],
    ".defaultAction",
    ".defaultErrnoRet",
    warnings,
  );
  if (fallback === RET_USER_NOTIF) throw invalid(".defaultAction", "SCMP_ACT_NOTIFY cannot be the default");
  const hasListener = checked.some((rule) => rule.action === RET_USER_NOTIF);
  return {
    defaultAction: fallback,
    arches: arches(json["architectures"], options),
    flags: flags(json["flags"], hasListener, warnings),
    rules: checked,
    warnings,
  };
}
