// What can be wrong with a request's restart policy, health check and log; loaded for requests that have one.
import { LapError } from "@lapstrake/base";
import { checkHealth, HEALTH_ACTIONS } from "../health/config.ts";
import { checkRestartPolicy } from "../restart/policy.ts";
import { checkLog } from "./log-config.ts";
import type { CreateRequest } from "./request.ts";

/** Throws `ERR_LAP_RESTART_POLICY`, `ERR_LAP_HEALTH`, `ERR_LAP_CONFLICTING_OPTIONS`, and what {@link checkLog} does. */
export function checkLife(request: CreateRequest): void {
  const { restart, health, healthOnFailure = "none", log, autoRemove = false } = request;
  if (log !== undefined) checkLog(log);
  if (restart !== undefined && checkRestartPolicy(restart).name !== "no" && autoRemove) throw conflict("--restart");
  if (health !== undefined) checkHealth(health);
  if (!HEALTH_ACTIONS.includes(healthOnFailure)) {
    const message = `invalid action on health failure: '${String(healthOnFailure)}'; use one of ${HEALTH_ACTIONS.join(", ")}`;
    throw new LapError("invalidArgument", "ERR_LAP_HEALTH", message);
  }
  if (healthOnFailure === "restart" && autoRemove) throw conflict("--health-on-failure=restart");
}

function conflict(flag: string): LapError {
  const message = `conflicting options: cannot specify both ${flag} and --rm`;
  return new LapError("invalidArgument", "ERR_LAP_CONFLICTING_OPTIONS", message);
}
