// The process itself: limits, capabilities, ids, filter, program. The order is capabilities(7)'s and seccomp(2)'s.
import { LapError, type CapabilitiesSpec, type ProcessSpec, type RlimitSpec } from "@lapstrake/base";
import type { HostFacts } from "../facts/types.ts";
import type { LaunchOptions } from "../launch/types.ts";
import { capabilityMask, capabilityNames } from "../spec/capabilities.ts";
import type { PlanOp } from "./types.ts";

/** Resource numbers: getrlimit(2), asm-generic/resource.h. */
const RLIMITS: readonly string[] =
  "CPU FSIZE DATA STACK CORE RSS NPROC NOFILE MEMLOCK AS LOCKS SIGPENDING MSGQUEUE NICE RTPRIO RTTIME".split(" ");

const UNLIMITED = 0xffff_ffff_ffff_ffffn;

function invalid(field: string, why: string): LapError {
  return new LapError("invalidArgument", "ERR_LAP_SPEC_INVALID", `process.${field}: ${why}`);
}

// JSON numbers above 2^53 lose bits; RLIM_INFINITY arrives as 2^64.
function limitValue(value: number): bigint {
  return value >= 2 ** 63 || value < 0 ? UNLIMITED : BigInt(Math.trunc(value));
}

function rlimitOp(limit: RlimitSpec, index: number): PlanOp {
  const resource = RLIMITS.indexOf(limit.type.replace(/^RLIMIT_/, ""));
  if (resource < 0) throw invalid(`rlimits[${index}]`, `unknown type "${limit.type}"`);
  if (limit.soft > limit.hard) throw invalid(`rlimits[${index}]`, `soft ${limit.soft} is above hard ${limit.hard}`);
  return { op: "rlimit", resource, soft: limitValue(limit.soft), hard: limitValue(limit.hard) };
}

/** Resource limits, set while still privileged; the open-file limit always, since Node raised the inherited one. */
export function rlimitOps(limits: readonly RlimitSpec[], facts: HostFacts): PlanOp[] {
  const types = limits.map((limit) => limit.type);
  const twice = types.find((type, index) => types.indexOf(type) !== index);
  if (twice !== undefined) throw invalid("rlimits", `"${twice}" is listed twice`);
  const nofile = { type: "RLIMIT_NOFILE", ...facts.nofile };
  return (types.includes("RLIMIT_NOFILE") ? limits : [...limits, nofile]).map(rlimitOp);
}

interface CapabilitySets {
  readonly bounding: bigint;
  readonly effective: bigint;
  readonly permitted: bigint;
  readonly inheritable: bigint;
  readonly ambient: bigint;
}

function capabilitySets(caps: CapabilitiesSpec, facts: HostFacts, warnings: string[]): CapabilitySets {
  const allowed = capabilityMask(facts.boundingCapabilities).mask;
  const missing = new Set<string>();
  const read = (field: keyof CapabilitiesSpec): bigint => {
    const { mask, unknown } = capabilityMask(caps[field] ?? []);
    if (unknown.length > 0) warnings.push(`ignored unknown capabilities: ${unknown.join(", ")}`);
    for (const name of capabilityNames(mask & ~allowed)) missing.add(name);
    return mask & allowed;
  };
  const sets = {
    bounding: read("bounding"),
    effective: read("effective"),
    permitted: read("permitted"),
    inheritable: read("inheritable"),
    ambient: read("ambient"),
  };
  if (missing.size > 0) warnings.push(`capabilities this host cannot give: ${[...missing].join(", ")}`);
  return sets;
}

/** Capabilities, user and groups; `filter` is installed while CAP_SYS_ADMIN is there when no_new_privs is off. */
export function credentialOps(
  process: ProcessSpec,
  facts: HostFacts,
  warnings: string[],
  filter: readonly PlanOp[],
  isLonely = false,
): PlanOp[] {
  const user = process.user ?? {};
  const sets = capabilitySets(process.capabilities ?? {}, facts, warnings);
  const early = process.noNewPrivileges === true ? [] : filter;
  return [
    { op: "chdir", path: process.cwd, early: 1 },
    ...early,
    { op: "dropBounding", keep: sets.bounding },
    {
      op: "ids",
      uid: user.uid ?? 0,
      gid: user.gid ?? 0,
      groups: user.additionalGids ?? [],
      skipGroups: isLonely ? 1 : 0,
    },
    {
      op: "capset",
      effective: sets.effective & sets.permitted,
      permitted: sets.permitted,
      inheritable: sets.inheritable,
      ambient: sets.ambient & sets.permitted & sets.inheritable,
    },
  ];
}

/** The second bit of the operation `stdio`: an OCI command line relays the terminal to one that adds carriage returns itself. */
export function newlineFlag(options: LaunchOptions): number {
  return options.oci !== undefined && options.oci.consoleSocket === undefined ? 2 : 0;
}

// environ(7) leaves open who wins; here the later one does.
function withoutRepeats(env: readonly string[]): readonly string[] {
  const last = new Map(env.map((entry, index) => [entry.slice(0, entry.indexOf("=")), index]));
  return last.size === env.length ? env : env.filter((_, index) => [...last.values()].includes(index));
}

// Programs look for their files at home; it is in the container's passwd(5), which only the container shows.
function homeOp(env: readonly string[], uid: number): PlanOp[] {
  return env.some((entry) => entry.startsWith("HOME=") && entry !== "HOME=") ? [] : [{ op: "home", uid }];
}

/** The last steps: working directory, no_new_privs, `before` (hooks and gate), the program. */
export function programOps(process: ProcessSpec, filter: readonly PlanOp[], before: readonly PlanOp[] = []): PlanOp[] {
  const args = process.args ?? [];
  const env = withoutRepeats(process.env ?? []);
  if (args.length === 0) throw invalid("args", "at least one is needed");
  if (!process.cwd.startsWith("/")) throw invalid("cwd", `"${process.cwd}" is not absolute`);
  const late = process.noNewPrivileges === true ? [{ op: "noNewPrivs" }, ...filter] : [];
  return [
    { op: "umask", mask: process.user?.umask ?? 0o022 },
    { op: "chdir", path: process.cwd, early: 0 },
    ...homeOp(env, process.user?.uid ?? 0),
    { op: "findExec", program: args[0]!, env },
    ...late,
    ...before,
    { op: "exec", args, env },
  ];
}
