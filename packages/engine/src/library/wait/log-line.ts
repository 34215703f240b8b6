// Waiting for a log line, also one that was written before anybody waited.
import type { Box } from "../types.ts";

/** Resolves at the `times`th line that contains `wanted` or matches it. */
export async function hasLine(box: Box, wanted: string | RegExp, times: number, signal: AbortSignal): Promise<void> {
  let left = times;
  let line = "";
  for await (const { text } of box.logs({ follow: true, signal })) {
    line += text;
    // A prompt has no line end.
    if (matches(line, wanted) && --left === 0) return;
    if (text.endsWith("\n") || matches(line, wanted)) line = "";
  }
  signal.throwIfAborted();
  // The box has ended: whoever waits beside this says so.
  await new Promise<void>((_, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error)));
}

function matches(line: string, wanted: string | RegExp): boolean {
  if (typeof wanted === "string") return line.includes(wanted);
  wanted.lastIndex = 0;
  return wanted.test(line);
}
