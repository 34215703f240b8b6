// Pulling with progress on the terminal and Ctrl-C: for `lap pull` and for `lap run` of an image that is missing.
import { parsePlatform } from "@lapstrake/base";
import { pullImage, type Engine, type PulledImage } from "@lapstrake/engine";
import { interruptible, progressPrinter } from "../output/progress.ts";

/** Brings an image; `platform` is `os/arch[/variant]`. */
export async function pullWithProgress(
  engine: Engine,
  reference: string,
  platform: string | undefined,
  quiet: boolean,
): Promise<PulledImage> {
  const progress = progressPrinter(quiet);
  using interrupt = interruptible();
  const pulled = await pullImage(engine, reference, {
    ...(platform === undefined ? {} : { platform: parsePlatform(platform) }),
    progress: progress.sink,
    signal: interrupt.signal,
  });
  progress.done();
  return pulled;
}
