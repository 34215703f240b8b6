// Is this process still the one that a record names? Pid and start time together are never reused (proc_pid_stat(5) field 22).
import { readFileSync } from "node:fs";
import { ERRNO, systemError } from "@lapstrake/base";
import { kernelSyscalls } from "../sys/kernel.ts";

const SIGKILL = 9;
/** Task flag of linux/sched.h, in field 9 of proc_pid_stat(5). */
const PF_EXITING = 4;
let boot: string | undefined;

/** Id of the running boot. */
export function bootId(): string {
  boot ??= readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim();
  return boot;
}

/** Start time of a process in clock ticks since boot; undefined when it is gone or only a zombie is left. */
export function startTime(pid: number): number | undefined {
  let stat: string;
  try {
    // Whatever bytes the name has, UTF-8 is what Node reads in one call, without a buffer of 64 KiB.
    stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch {
    // Gone is the answer.
    return undefined;
  }
  // The name in field 2 may hold anything, so fields count from the last ")".
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  // An ending process has closed its sockets before it is a zombie: whoever saw them close must not find it alive.
  const isEnding = (Number(fields[6]) & PF_EXITING) !== 0;
  return isEnding || fields[0] === "Z" || fields[0] === "X" ? undefined : Number(fields[19]);
}

/** Sends a signal to the process that started at `since` (undefined: whichever has the pid); by pidfd, so that a reused pid is never hit. False when it is gone. */
export function signalProcess(pid: number, since: number | undefined, signal: number): boolean {
  if (pid <= 0) return false;
  const sys = kernelSyscalls();
  const pidfd = sys.call("pidfd_open", pid, 0);
  if (pidfd < 0) return false;
  const isSame = since === undefined || startTime(pid) === since;
  const ret = isSame ? sys.call("pidfd_send_signal", pidfd, signal, 0, 0) : -ERRNO.ESRCH;
  sys.call("close", pidfd);
  if (ret < 0 && ret !== -ERRNO.ESRCH) throw systemError(-ret, "kill");
  return ret === 0;
}

/** Kills `pid` when it is the process that started at `since`. */
export function killIfSame(pid: number, since: number): void {
  signalProcess(pid, since, SIGKILL);
}
