// A few at a time, and the first failure stops the others: their connections are ended, not left to finish.
import { mapLimit } from "../image/map-limit.ts";

/** Runs `work` over `items`; its signal is aborted when another item fails or the caller's is. Rejects with the first failure. */
export async function inParallel<T>(
  items: readonly T[],
  limit: number,
  signal: AbortSignal | undefined,
  work: (item: T, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const stop = new AbortController();
  const both = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]);
  let first: { readonly error: unknown } | undefined;
  await mapLimit(items, limit, async (item) => {
    if (first !== undefined) return;
    try {
      await work(item, both);
    } catch (error) {
      first ??= { error };
      stop.abort(error);
    }
  });
  if (first !== undefined) throw (first as { error: unknown }).error;
}
