// Whoever works on a store of many ids shares one user namespace, so that all may join all containers. It lives as long as a process
// in it: these are written down, one a line with its start time, and who comes joins one that lives. proc(5), user_namespaces(7).
import { closeSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { holdUserNamespace, lockFile, startTime } from "@lapstrake/core";
import { readStored } from "../state/read-stored.ts";

/** In the store. */
const HOLDERS_FILE = "holders";
const LOCK_FILE = "holders.lock";
/** A process on its way into its namespace gets there within this. */
const ENTER_MS = 5_000;
const STEP_MS = 2;

/** Writes this process down and gives the namespace of one that is in: undefined when it has to make one. `others` are pids beside those written down. */
export function joinHolders(root: string, others: () => readonly number[]): number | undefined {
  mkdirSync(root, { recursive: true, mode: 0o700 });
  using _lock = lockFile(join(root, LOCK_FILE));
  const living = holders(root);
  writeHolders(root, [...living, process.pid]);
  for (const pid of [...living, ...others()]) {
    const fd = enteredNamespace(pid);
    if (fd !== undefined) return fd;
  }
  return undefined;
}

/** Writes a process down that is in already and stays. */
export function noteHolder(root: string): void {
  using _lock = lockFile(join(root, LOCK_FILE));
  writeHolders(root, [...holders(root), process.pid]);
}

function holders(root: string): number[] {
  return (readStored(join(root, HOLDERS_FILE)) ?? "")
    .split("\n")
    .map((line) => line.split(" ").map(Number) as [number, number])
    .filter(([pid, since]) => pid > 0 && pid !== process.pid && startTime(pid) === since)
    .map(([pid]) => pid);
}

function writeHolders(root: string, pids: readonly number[]): void {
  // Whoever reads has the lock; a damaged line names nobody.
  writeFileSync(join(root, HOLDERS_FILE), pids.map((pid) => `${pid} ${startTime(pid) ?? 0}\n`).join(""), {
    mode: 0o600,
  });
}

/** Waits while the process is on its way: its maps are this process's own until then, and empty for a moment. */
function enteredNamespace(pid: number): number | undefined {
  const own = mapsOf("self");
  for (const deadline = Date.now() + ENTER_MS; Date.now() < deadline;) {
    const maps = mapsOf(pid);
    if (maps === undefined) return undefined;
    if (maps !== own && !maps.startsWith("\n") && !maps.endsWith("\n")) return checked(pid, maps);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, STEP_MS);
  }
  return undefined;
}

/** One that ended meanwhile may have left its pid to another. */
function checked(pid: number, maps: string): number | undefined {
  const fd = holdUserNamespace(pid);
  if (fd === undefined || mapsOf(pid) === maps) return fd;
  closeSync(fd);
  return undefined;
}

function mapsOf(pid: number | "self"): string | undefined {
  try {
    const [uids, gids] = ["uid_map", "gid_map"].map((name) => readFileSync(`/proc/${pid}/${name}`, "latin1").trim());
    return `${uids}\n${gids}`;
  } catch {
    // Gone.
    return undefined;
  }
}
