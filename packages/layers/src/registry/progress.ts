// Progress of one blob in docker's words, at most a few events a second however small the chunks are.
import type { Descriptor, ProgressSink } from "@lapstrake/base";

/** A step of at least this part of the blob, or this many bytes, is worth an event. */
const STEPS = 50;
const STEP_BYTES: number = 1024 * 1024;

/** Passes chunks on and tells how far they are. */
export async function* counted(
  content: AsyncIterable<Uint8Array>,
  { digest, size }: Descriptor,
  status: string,
  progress: ProgressSink | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  const step = Math.min(STEP_BYTES, Math.ceil(size / STEPS));
  let current = 0;
  let told = 0;
  for await (const chunk of content) {
    yield chunk;
    current += chunk.length;
    if (current - told < step) continue;
    told = current;
    progress?.({ id: digest, status, current, total: size });
  }
}

/** One event without numbers. */
export function tell(progress: ProgressSink | undefined, { digest }: Pick<Descriptor, "digest">, status: string): void {
  progress?.({ id: digest, status });
}
