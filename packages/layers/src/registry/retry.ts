// Repeating what may succeed the next time: broken connections, timeouts, 408, 429 and 5xx, with doubling waits and the server's
// Retry-After (RFC 9110 §10.2.3), bounded in number and in time.
import { LapError, isLapError, type ClockPort } from "@lapstrake/base";
import { MAX_RETRY_AFTER_MS } from "./limits.ts";
import type { RetryPolicy } from "./types.ts";

/** Five tries within about four seconds. */
export const DEFAULT_RETRY: RetryPolicy = { attempts: 5, baseMs: 250, capMs: 8000 };

const PASSING_STATUSES: ReadonlySet<number> = new Set([408, 429, 500, 502, 503, 504]);
const FINAL_CODES: ReadonlySet<string> = new Set(["ERR_LAP_HTTP_REFUSED", "ERR_LAP_HTTP_TLS"]);

/** True for statuses that may pass. */
export function isPassing(status: number): boolean {
  return PASSING_STATUSES.has(status);
}

/** True for failures of transport that may pass: everything an HttpPort throws but a refused or untrusted connection. */
export function isTransient(error: unknown): boolean {
  if (!(error instanceof Error) || !isLapError(error)) return false;
  if (FINAL_CODES.has(error.code)) return false;
  return error.kind === "unavailable" || error.kind === "deadlineExceeded";
}

/** Retry-After in ms: seconds or an HTTP date; undefined when absent or unreadable. */
export function retryAfterMs(header: string | undefined, clock: ClockPort): number | undefined {
  if (header === undefined) return undefined;
  if (/^[0-9]{1,9}$/.test(header)) return Number(header) * 1000;
  const at = Date.parse(header);
  return Number.isNaN(at) ? undefined : Math.max(0, at - clock.now().sec * 1000);
}

/** An error that says how long the server wants us to wait. */
export class RetryLater extends Error {
  readonly error: LapError;
  readonly afterMs: number | undefined;

  constructor(error: LapError, afterMs: number | undefined) {
    super(error.message);
    this.error = error;
    this.afterMs = afterMs;
  }
}

function waitMs(policy: RetryPolicy, attempt: number, afterMs: number | undefined): number {
  const doubled = Math.min(policy.capMs, policy.baseMs * 2 ** (attempt - 1));
  return Math.max(afterMs ?? 0, doubled * (0.5 + Math.random() / 2));
}

/** Waits before try `attempt + 1`; rejects with the signal's reason when aborted. */
export async function backoff(
  clock: ClockPort,
  policy: RetryPolicy,
  attempt: number,
  afterMs: number | undefined,
  signal: AbortSignal | undefined,
): Promise<void> {
  signal?.throwIfAborted();
  try {
    await clock.sleep(waitMs(policy, attempt, afterMs), signal);
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
}

/** Runs `work` until it succeeds, fails for good, or has had its tries; throws the last error. */
export async function withRetry<T>(
  clock: ClockPort,
  policy: RetryPolicy,
  signal: AbortSignal | undefined,
  work: () => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      signal?.throwIfAborted();
      const later = error instanceof RetryLater ? error : undefined;
      const real = later?.error ?? error;
      const isTooLong = (later?.afterMs ?? 0) > MAX_RETRY_AFTER_MS;
      if (attempt >= policy.attempts || isTooLong || !(later !== undefined || isTransient(real))) throw real;
      await backoff(clock, policy, attempt, later?.afterMs, signal);
    }
  }
}
