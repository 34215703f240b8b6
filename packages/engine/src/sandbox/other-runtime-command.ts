// How another OCI runtime is called: runc's global flags, and the names of what it leaves in the container's directory.
import { join } from "node:path";
import type { ContainerRecord } from "../state/record.ts";

/** The runtime's own state, in the container's directory. */
export const RUNTIME_DIR = "runtime";
/** What the runtime says, in the folder where it runs. */
export const RUNTIME_LOG = "runtime.log";
export const PID_FILE = "runtime.pid";
/** Where op_runtime.c listens for the terminal. */
export const CONSOLE_SOCKET = "tty.sock";

/** Every command begins so. */
export function runtimeArgs({ runtime }: ContainerRecord, dir: string): string[] {
  return [runtime!.path, "--root", join(dir, RUNTIME_DIR), "--log", RUNTIME_LOG, "--log-format", "json"];
}

/** What the runtime is told of this process's surroundings. */
export function runtimeEnvironment(): string[] {
  return [`PATH=${process.env["PATH"] ?? "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}`];
}
