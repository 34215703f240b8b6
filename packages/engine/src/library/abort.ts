// Abort signals: one that follows another and a time limit, and waiting that a signal breaks off.

/** A signal of one's own; dispose to let go of what it follows. */
export interface Linked extends Disposable {
  readonly signal: AbortSignal;
  /** The time was up. */
  readonly timedOut: boolean;
  abort(): void;
}

/** Aborts when `outer` does, or after `timeoutMs`, or when told. */
export function linked(outer: AbortSignal | undefined, timeoutMs: number): Linked {
  const controller = new AbortController();
  let timedOut = false;
  const follow = (): void => controller.abort(outer!.reason);
  const timer = setTimeout(() => {
    timedOut = true;
    controller.abort(new DOMException("the time is up", "TimeoutError"));
  }, timeoutMs);
  outer?.addEventListener("abort", follow, { once: true });
  if (outer?.aborted === true) follow();
  return {
    signal: controller.signal,
    get timedOut() {
      return timedOut;
    },
    abort: () => controller.abort(),
    [Symbol.dispose]() {
      clearTimeout(timer);
      outer?.removeEventListener("abort", follow);
    },
  };
}

/** `work`, or the signal's reason if that comes first; the work itself goes on. */
export async function abortable<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  signal.throwIfAborted();
  const { promise, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(signal.reason as Error);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
