// Pulling with progress on the terminal and Ctrl-C: for `lap pull` and for `lap run` of an image that is missing.
import { parsePlatform, parseReference } from "@lapstrake/base";
import { pullImage, type Engine, type PulledImage } from "@lapstrake/engine";
import { err } from "../output/print.ts";
import { interruptible, progressPrinter, type ProgressOptions } from "../output/progress.ts";

/** Brings an image; `platform` is `os/arch[/variant]`; `announce` is called once, when the registry has answered. */
export async function pullWithProgress(
  engine: Engine,
  reference: string,
  platform: string | undefined,
  shown: ProgressOptions,
  announce: () => void,
): Promise<PulledImage> {
  const progress = progressPrinter(shown);
  let isAnnounced = shown.quiet;
  const tell = (): void => {
    if (!isAnnounced) announce();
    isAnnounced = true;
  };
  using interrupt = interruptible();
  const pulled = await pullImage(engine, reference, {
    ...(platform === undefined ? {} : { platform: parsePlatform(platform) }),
    progress: (event) => {
      tell();
      progress.sink(event);
    },
    signal: interrupt.signal,
  });
  tell();
  progress.done();
  return pulled;
}

/** The pull before a run: everything on standard error, as standard output is the program's. */
export async function pullForRun(
  engine: Engine,
  image: string,
  platform: string | undefined,
  quiet: boolean,
): Promise<void> {
  const { tag, digest, path } = parseReference(image);
  const announce = (): void => err(`${tag ?? digest ?? ""}: Pulling from ${path}\n`);
  const pulled = await pullWithProgress(engine, image, platform, { quiet, to: "stderr", plain: true }, announce);
  if (quiet) return;
  err(`Digest: ${pulled.target.digest}\n`);
  err(`Status: ${pulled.changed ? "Downloaded newer image" : "Image is up to date"} for ${pulled.reference}\n`);
}
