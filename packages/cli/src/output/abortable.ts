// Ctrl-C in the midst of a stream: what reads it fails and cleans up, instead of being cut off.

/** The same chunks until the signal, which also wakes a reader that waits. Throws the signal's reason. */
export async function* abortable<T>(chunks: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T> {
  const iterator = chunks[Symbol.asyncIterator]();
  const aborted = new Promise<never>((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
  });
  aborted.catch(() => {}); // nobody may be waiting
  try {
    for (;;) {
      const next = await Promise.race([iterator.next(), aborted]);
      if (next.done === true) return;
      yield next.value;
      signal.throwIfAborted();
    }
  } finally {
    // A source that waits for its next chunk would not answer before it has one.
    const ended = iterator.return?.();
    if (!signal.aborted) await ended;
    else ended?.catch(() => {});
  }
}
