// Restart policies as values: what was asked for, how often it was tried, and when to try again. Docker's rules: 100 ms, doubled after each
// end up to a minute, from the start again after a run of ten seconds.
import { LapError } from "@lapstrake/base";
import type { RestartState } from "./state.ts";

const RESTART_NAMES = ["no", "on-failure", "always", "unless-stopped"] as const;
export type RestartName = (typeof RESTART_NAMES)[number];

/** What to do when a container ends by itself. */
export interface RestartPolicy {
  readonly name: RestartName;
  /** For on-failure: give up after so many; 0 never gives up. */
  readonly maximumRetryCount: number;
}

const FIRST_DELAY_MS = 100;
const MAX_DELAY_MS = 60_000;
/** A run of this length is a good one. */
const GOOD_RUN_MS = 10_000;

/** How a run ended. */
export interface RunEnd {
  readonly exitCode: number;
  readonly ranMs: number;
  readonly nowMs: number;
}

/** The state after the end of a run: with `dueMs` when the policy starts it again. */
export function afterEnd(policy: RestartPolicy, state: RestartState, { exitCode, ranMs, nowMs }: RunEnd): RestartState {
  const { count, stopped } = state;
  const last = ranMs >= GOOD_RUN_MS ? 0 : state.delayMs;
  const delayMs = last === 0 ? FIRST_DELAY_MS : Math.min(MAX_DELAY_MS, last * 2);
  const ended = { count, delayMs, stopped, ...(state.halted === true ? { halted: true } : {}) };
  if (!wantsRestart(policy, state, exitCode)) return ended;
  return { count: count + 1, delayMs, stopped, dueMs: nowMs + delayMs };
}

function wantsRestart({ name, maximumRetryCount }: RestartPolicy, state: RestartState, exitCode: number): boolean {
  if (state.stopped || name === "no") return false;
  if (name !== "on-failure") return true;
  return exitCode !== 0 && (maximumRetryCount === 0 || state.count < maximumRetryCount);
}

/** True when the machine's start starts it: always, and unless-stopped if nobody did. */
export function startsAtBoot({ name }: RestartPolicy, state: RestartState): boolean {
  return name === "always" || (name === "unless-stopped" && (!state.stopped || state.halted === true));
}

/** `no`, `always`, `unless-stopped`, `on-failure[:max]`; "" is `no`. Throws `ERR_LAP_RESTART_POLICY` in docker's words. */
export function parseRestartPolicy(text: string): RestartPolicy {
  const [name = "", count, ...more] = text.split(":");
  if (more.length > 0) throw invalid("invalid restart policy format: more than one colon");
  if (count !== undefined && name === "")
    throw invalid("invalid restart policy format: no policy provided before colon");
  if (count !== undefined && !/^\d+$/.test(count)) {
    throw invalid("invalid restart policy format: maximum retry count must be an integer");
  }
  return checkRestartPolicy({
    name: (name === "" ? "no" : name) as RestartName,
    maximumRetryCount: Number(count ?? 0),
  });
}

/** The same policy when it is one. Throws `ERR_LAP_RESTART_POLICY`. */
export function checkRestartPolicy(policy: RestartPolicy): RestartPolicy {
  const { name, maximumRetryCount } = policy;
  if (!RESTART_NAMES.includes(name)) {
    throw invalid(
      `invalid restart policy: unknown policy '${name}'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'`,
    );
  }
  if (maximumRetryCount < 0) throw invalid("invalid restart policy: maximum retry count cannot be negative");
  if (maximumRetryCount > 0 && name !== "on-failure") {
    throw invalid("invalid restart policy: maximum retry count can only be used with 'on-failure'");
  }
  return policy;
}

function invalid(message: string): LapError {
  return new LapError("invalidArgument", "ERR_LAP_RESTART_POLICY", message);
}
