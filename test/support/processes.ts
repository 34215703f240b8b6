// What runs on this machine, by the words of its command line. A test names its own store or container: others run here too.
import { readdirSync, readFileSync } from "node:fs";

/** The command line of a process with spaces for its zero bytes; empty when it is gone. */
export function commandLine(pid: number | string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "latin1").replaceAll("\0", " ");
  } catch {
    return ""; // it ended meanwhile
  }
}

/** Processes other than this one whose command line contains `text`. */
export function processes(text: string): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && name !== String(process.pid) && commandLine(name).includes(text))
    .map(Number);
}
