// `lap image copy`: between registries and OCI layout folders, past the store.
import { parsePlatform } from "@lapstrake/base";
import { copyImage } from "@lapstrake/engine";
import { readFlags } from "../args/parse.ts";
import type { Command } from "../args/types.ts";
import { out } from "../output/print.ts";
import { interruptible, progressPrinter } from "../output/progress.ts";

export const imageCopyCommand: Command = {
  name: "image copy",
  usage: "[OPTIONS] SOURCE TARGET",
  summary: "Copy an image between registries and layout folders (oci:FOLDER[:NAME]), all platforms of it",
  minArgs: 2,
  maxArgs: 2,
  interspersed: true,
  errorExitCode: 1,
  flags: [
    { long: "platform", kind: "string", help: "Only the image for this platform" },
    { long: "quiet", short: "q", kind: "bool", help: "Suppress verbose output" },
  ],
  async run({ flags, args }) {
    const read = readFlags(flags);
    const [from = "", to = ""] = args;
    const platform = read.text("platform");
    const progress = progressPrinter({ quiet: read.bool("quiet"), to: "stderr", plain: false });
    using interrupt = interruptible();
    const copied = await copyImage(from, to, {
      ...(platform === undefined ? {} : { platform: parsePlatform(platform) }),
      progress: progress.sink,
      signal: interrupt.signal,
    });
    progress.done();
    out(`${copied.digest}\n`);
    return 0;
  },
};
