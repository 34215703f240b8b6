// A container that another process holds goes soon after that process has ended, without anybody looking: a shell waits for it.
import { spawn } from "node:child_process";
import type { Engine } from "../engine.ts";
import type { ContainerRecord } from "../state/record.ts";

const WAIT = 'while kill -0 "$1" 2>/dev/null; do sleep 0.5; done; shift; exec "$@"';

/** Removes `record`, held by the process `pid`, within seconds of its end; this process need not live that long. */
export function removeAfter(engine: Engine, record: ContainerRecord, pid: number): void {
  const args = ["-c", WAIT, "sh", String(pid), ...engine.context.reapArgv, record.id];
  spawn("/bin/sh", args, { detached: true, stdio: "ignore", cwd: "/" }).unref();
}
