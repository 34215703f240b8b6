// What a health check is: the image's, with what the request says otherwise (docker's merge), and its defaults.
import { LapError, type HealthConfig } from "@lapstrake/base";

/** Health check of a request; absent fields are the image's. Durations in milliseconds. */
export interface HealthRequest {
  /** `["CMD", program, …]`, `["CMD-SHELL", line]`, or `["NONE"]` for no check at all. */
  readonly test?: readonly string[];
  readonly intervalMs?: number;
  readonly timeoutMs?: number;
  /** Failures in this time after the start do not count. */
  readonly startPeriodMs?: number;
  /** Time between checks in it. */
  readonly startIntervalMs?: number;
  /** So many failures one after the other make it unhealthy. */
  readonly retries?: number;
}

/** What happens to a container that became unhealthy. */
export const HEALTH_ACTIONS = ["none", "kill", "stop", "restart"] as const;
export type HealthAction = (typeof HEALTH_ACTIONS)[number];

/** A check ready to run. */
export interface HealthPlan {
  readonly args: readonly string[];
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly startPeriodMs: number;
  readonly startIntervalMs: number;
  readonly retries: number;
}

const NS_PER_MS = 1e6;
const SHELL = ["/bin/sh", "-c"];
const DEFAULTS = { intervalMs: 30_000, timeoutMs: 30_000, startPeriodMs: 0, startIntervalMs: 5_000, retries: 3 };
/** Docker's: a check more often than this is a mistake. */
const MIN_MS = 1;

/** The image's check with the request's fields in place of its; undefined when there is none. */
export function mergeHealth(
  image: HealthConfig | undefined,
  request: HealthRequest | undefined,
): HealthConfig | undefined {
  if (request === undefined) return image;
  const ns = (ms: number | undefined, own: number | undefined): number =>
    ms === undefined ? (own ?? 0) : ms * NS_PER_MS;
  const test = request.test ?? image?.Test;
  const merged = {
    Interval: ns(request.intervalMs, image?.Interval),
    Timeout: ns(request.timeoutMs, image?.Timeout),
    StartPeriod: ns(request.startPeriodMs, image?.StartPeriod),
    StartInterval: ns(request.startIntervalMs, image?.StartInterval),
    Retries: request.retries ?? image?.Retries ?? 0,
  };
  const asked = Object.entries(merged).filter(([, value]) => value !== 0);
  return { ...(test === undefined ? {} : { Test: test }), ...Object.fromEntries(asked) };
}

/** The check of a container; undefined when it has none. `shell` is the image's for `CMD-SHELL`. */
export function healthPlan(config: HealthConfig | undefined, shell: readonly string[] = SHELL): HealthPlan | undefined {
  const args = programOf(config?.Test ?? [], shell);
  if (args === undefined) return undefined;
  const ms = (ns: number | undefined, fallback: number): number => ((ns ?? 0) === 0 ? fallback : ns! / NS_PER_MS);
  return {
    args,
    intervalMs: ms(config?.Interval, DEFAULTS.intervalMs),
    timeoutMs: ms(config?.Timeout, DEFAULTS.timeoutMs),
    startPeriodMs: ms(config?.StartPeriod, DEFAULTS.startPeriodMs),
    startIntervalMs: ms(config?.StartInterval, DEFAULTS.startIntervalMs),
    retries: (config?.Retries ?? 0) === 0 ? DEFAULTS.retries : config!.Retries!,
  };
}

function programOf([kind, ...rest]: readonly string[], shell: readonly string[]): readonly string[] | undefined {
  if (kind === "CMD") return rest.length === 0 ? undefined : rest;
  if (kind === "CMD-SHELL") return [...shell, rest.join(" ")];
  return undefined;
}

/** Throws `ERR_LAP_HEALTH` in docker's words. */
export function checkHealth(request: HealthRequest): void {
  const { test, intervalMs, timeoutMs, startPeriodMs, startIntervalMs, retries } = request;
  const times = {
    Interval: intervalMs,
    Timeout: timeoutMs,
    StartPeriod: startPeriodMs,
    StartInterval: startIntervalMs,
  };
  for (const [name, ms] of Object.entries(times)) {
    if (ms !== undefined && ms !== 0 && !(ms >= MIN_MS)) {
      throw invalid(`${name} in Healthcheck cannot be less than 1ms`);
    }
  }
  if (retries !== undefined && retries < 0) throw invalid("Retries in Healthcheck cannot be negative");
  if (test !== undefined && !["CMD", "CMD-SHELL", "NONE"].includes(test[0] ?? "")) {
    throw invalid(`Unknown healthcheck type '${test[0] ?? ""}' (expected 'CMD' or 'CMD-SHELL')`);
  }
}

function invalid(message: string): LapError {
  return new LapError("invalidArgument", "ERR_LAP_HEALTH", message);
}
