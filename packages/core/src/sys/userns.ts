// Becoming the root of a user namespace that has a range of ids: this process is replaced by another one (execve(2), the same
// pid) that starts inside, since a process with threads, as Node is, cannot enter one.
import { readFileSync } from "node:fs";
import { userInfo } from "node:os";
import { execve, getegid, geteuid } from "node:process";
import { LapError, type IdMapSpec } from "@lapstrake/base";
import { hostFacts } from "../facts/host.ts";
import { AT_FDCWD, O_RDONLY } from "./flags.ts";
import { kernelSyscalls } from "./kernel.ts";
import { parseIdMap, subidMap } from "../facts/subids.ts";

/** A program with the ids it shall have. */
export interface MappedProgram {
  readonly shim: string;
  readonly helpers: { readonly uid: string; readonly gid: string };
  readonly uidMap: readonly IdMapSpec[];
  readonly gidMap: readonly IdMapSpec[];
}

function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    // Without the file nobody has ranges.
    return "";
  }
}

// newuidmap(1) serves users that the password file knows.
function userName(): string | undefined {
  try {
    return userInfo().username;
  } catch {
    return undefined;
  }
}

/** What this user needs to get more ids than its own; undefined when it is root already or has no range or no helpers. */
export function mappedProgram(): MappedProgram | undefined {
  const { euid, idHelpers, shim } = hostFacts();
  if (euid <= 0 || idHelpers === undefined || shim === undefined) return undefined;
  const name = userName();
  if (name === undefined) return undefined;
  const uidMap = subidMap(textOf("/etc/subuid"), { name, uid: euid, id: geteuid!() });
  const gidMap = subidMap(textOf("/etc/subgid"), { name, uid: euid, id: getegid!() });
  if (uidMap === undefined || gidMap === undefined) return undefined;
  return { shim, helpers: idHelpers, uidMap, gidMap };
}

function numbers(map: readonly IdMapSpec[]): string {
  return map.map(({ containerID, hostID, size }) => `${containerID} ${hostID} ${size}`).join(" ");
}

/** The user namespace of a process, as a descriptor that {@link becomeMapped} takes; undefined when the process is gone or another's. */
export function holdUserNamespace(pid: number): number | undefined {
  // Without O_CLOEXEC, which Node would set.
  const fd = kernelSyscalls().call("openat", AT_FDCWD, `/proc/${pid}/ns/user`, O_RDONLY, 0);
  return fd < 0 ? undefined : fd;
}

/**
 * Replaces this process by `argv` inside the user namespace that `beside` is a descriptor of, else in a new one. Throws a
 * system error; else it does not come back.
 */
export function becomeMapped(
  program: MappedProgram,
  argv: readonly string[],
  env: NodeJS.ProcessEnv,
  beside: number | undefined,
): never {
  if (execve === undefined) throw new LapError("unimplemented", "ERR_LAP_NODE", "this Node cannot replace its process");
  const { shim, helpers, uidMap, gidMap } = program;
  const join = beside === undefined ? "" : String(beside);
  const own = ["lap-userns", join, helpers.uid, helpers.gid, numbers(uidMap), numbers(gidMap)];
  const kept = Object.entries(env).filter(([, value]) => value !== undefined);
  execve(shim, [...own, ...argv], Object.fromEntries(kept) as Record<string, string>);
  throw new Error(`"${shim}" was not executed`);
}

let known: readonly IdMapSpec[] | undefined | null = null;

/** The ids of the namespace that this process is the root of; undefined outside of every one. */
export function ownIdMap(file: "uid_map" | "gid_map" = "uid_map"): readonly IdMapSpec[] | undefined {
  if (file === "gid_map") return parseIdMap(textOf("/proc/self/gid_map"));
  if (known !== null) return known;
  const map = parseIdMap(textOf("/proc/self/uid_map"));
  const isWhole = map.length === 0 || (map.length === 1 && map[0]!.hostID === 0 && map[0]!.size === 2 ** 32 - 1);
  known = isWhole ? undefined : map;
  return known;
}
