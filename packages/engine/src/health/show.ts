// Health as docker's inspect and ps show it.
import type { ContainerStatus } from "../containers/status.ts";
import type { ContainerRecord } from "../state/record.ts";
import { isChecked, readHealth, type Health } from "./state.ts";

/** `State.Health`; nothing for a container that is not checked. */
export function healthObject(
  dir: string,
  record: ContainerRecord,
  status: ContainerStatus,
): Readonly<Record<string, unknown>> {
  const health = healthOf(dir, record, status);
  if (health === undefined) return {};
  const Log = health.log.map(({ start, end, exitCode, output }) => ({
    Start: start,
    End: end,
    ExitCode: exitCode,
    Output: output,
  }));
  return { Health: { Status: health.status, FailingStreak: health.failingStreak, Log } };
}

/** Undefined for a container that is not checked, or never ran; what does not run is not healthy. */
export function healthOf(dir: string, record: ContainerRecord, status: ContainerStatus): Health | undefined {
  const health = isChecked(record) ? readHealth(dir) : undefined;
  if (health === undefined) return undefined;
  const isRunning = status.state === "running" || status.state === "paused";
  return isRunning ? health : { ...health, status: "unhealthy" };
}
