// From the result of a check to the health of a container: docker's rules, pure.
import type { HealthPlan } from "./config.ts";
import type { Health, HealthCheck } from "./state.ts";

/** How many checks are kept. */
const LOG_LENGTH = 5;

/** The health after a check that ended `ranMs` after the container's start. */
export function judge(plan: HealthPlan, health: Health, check: HealthCheck, ranMs: number): Health {
  const log = [...health.log, check].slice(-LOG_LENGTH);
  if (check.exitCode === 0) return { status: "healthy", failingStreak: 0, log };
  if (isStarting(plan, health, ranMs)) return { ...health, log };
  const failingStreak = health.failingStreak + 1;
  return { status: failingStreak >= plan.retries ? "unhealthy" : health.status, failingStreak, log };
}

/** How long to wait for the next check. */
export function nextDelayMs(plan: HealthPlan, health: Health, ranMs: number): number {
  return isStarting(plan, health, ranMs) ? plan.startIntervalMs : plan.intervalMs;
}

function isStarting(plan: HealthPlan, { status }: Health, ranMs: number): boolean {
  return status === "starting" && ranMs < plan.startPeriodMs;
}
