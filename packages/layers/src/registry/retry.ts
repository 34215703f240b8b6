// Repeating what may succeed the next time: broken connections, timeouts, 408, 429 and 5xx, with doubling waits and the server's
// Retry-After (RFC 9110 §10.2.3), bounded in number and in time.
import { isLapError, type ClockPort, type LapError } from "@lapstrake/base";
import { MAX_RETRY_AFTER_MS } from "./limits.ts";
import type { RetryPolicy } from "./types.ts";

/** Five tries within about four seconds. */
export const DEFAULT_RETRY: RetryPolicy = { attempts: 5, baseMs: 250, capMs: 8000 };

const FINAL_CODES: ReadonlySet<string> = new Set(["ERR_LAP_HTTP_REFUSED", "ERR_LAP_HTTP_TLS", "ERR_LAP_HTTP_NOT_TLS"]);

/** True for failures that may pass: all that an HttpPort throws but a refused or untrusted connection, and answers that say so. */
export function isTransient(error: unknown): error is LapError {
  if (!isLapError(error) || FINAL_CODES.has(error.code)) return false;
  if (askedWaitMs(error) > MAX_RETRY_AFTER_MS) return false;
  return error.kind === "unavailable" || error.kind === "deadlineExceeded";
}

/** The wait that the server asked for, ms; 0 when it asked for none. */
function askedWaitMs({ detail }: LapError): number {
  const ms = detail?.["retryAfterMs"];
  return typeof ms === "number" ? ms : 0;
}

/** Retry-After in ms: seconds or an HTTP date; undefined when absent or unreadable. */
export function retryAfterMs(header: string | undefined, clock: ClockPort): number | undefined {
  if (header === undefined) return undefined;
  if (/^[0-9]{1,9}$/.test(header)) return Number(header) * 1000;
  const at = Date.parse(header);
  return Number.isNaN(at) ? undefined : Math.max(0, at - clock.now().sec * 1000);
}

function waitMs(policy: RetryPolicy, attempt: number, askedMs: number): number {
  const doubled = Math.min(policy.capMs, policy.baseMs * 2 ** (attempt - 1));
  return Math.max(askedMs, doubled * (0.5 + Math.random() / 2));
}

/** Waits before try `attempt + 1`; rejects with the signal's reason when aborted. */
export async function backoff(
  clock: ClockPort,
  policy: RetryPolicy,
  attempt: number,
  error: LapError | undefined,
  signal: AbortSignal | undefined,
): Promise<void> {
  signal?.throwIfAborted();
  const askedMs = error === undefined ? 0 : askedWaitMs(error);
  try {
    await clock.sleep(waitMs(policy, attempt, askedMs), signal);
  } catch (failure) {
    signal?.throwIfAborted();
    throw failure;
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
      if (attempt >= policy.attempts || !isTransient(error)) throw error;
      await backoff(clock, policy, attempt, error, signal);
    }
  }
}
