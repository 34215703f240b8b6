// After a container of another runtime has ended, or was not made: the runtime forgets it. Idempotent, like all of a reap.
import { execFileSync } from "node:child_process";
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { ContainerRecord } from "../state/record.ts";
import { isRecord } from "./other-runtime-error.ts";
import { RUNTIME_DIR, runtimeArgs, runtimeEnvironment } from "./other-runtime-command.ts";

const TIMEOUT_MS = 20_000;

/** Runs `delete --force` where the runtime has state; what it cannot do is done by removing that, and by our own clean-up of cgroups. */
export function deleteFromRuntime(record: ContainerRecord, dir: string): void {
  if (!existsSync(join(dir, RUNTIME_DIR, record.id))) return;
  const [program, ...args] = runtimeArgs(record, dir);
  try {
    execFileSync(program!, [...args, "delete", "--force", record.id], {
      cwd: dir,
      env: Object.fromEntries(runtimeEnvironment().map((line) => line.split("=", 2) as [string, string])),
      stdio: "ignore",
      timeout: TIMEOUT_MS,
    });
  } catch (error) {
    // It exits with an error, or is not installed any more; anything else is a mistake of ours.
    if (!isRecord(error) || (error["status"] === undefined && error["code"] === undefined)) throw error;
  }
  rmSync(join(dir, RUNTIME_DIR), { recursive: true, force: true });
}
