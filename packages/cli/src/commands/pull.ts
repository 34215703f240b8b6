// `lap pull` and `lap push`.
import { LapError, familiarName, formatReference, parsePlatform, parseReference } from "@lapstrake/base";
import { pushImage } from "@lapstrake/engine";
import { readFlags } from "../args/parse.ts";
import type { Command } from "../args/types.ts";
import { engineFor } from "../open.ts";
import { out } from "../output/print.ts";
import { pullWithProgress } from "./pull-image.ts";
import { interruptible, progressPrinter } from "../output/progress.ts";

const transfer = { minArgs: 1, maxArgs: 1, interspersed: true, errorExitCode: 1 } as const;

export const pullCommand: Command = {
  ...transfer,
  name: "pull",
  usage: "[OPTIONS] NAME[:TAG|@DIGEST]",
  summary: "Download an image from a registry",
  aliases: ["lap image pull", "lap pull"],
  flags: [
    { long: "platform", kind: "string", help: "Set platform if server is multi-platform capable" },
    { long: "quiet", short: "q", kind: "bool", help: "Suppress verbose output" },
  ],
  async run({ flags, args, global }) {
    const read = readFlags(flags);
    const quiet = read.bool("quiet");
    const reference = parseReference(args[0]!);
    if (!quiet && !/[:@][^/]*$/.test(args[0]!)) out("Using default tag: latest\n");
    const announce = (): void => out(`${reference.tag ?? reference.digest ?? ""}: Pulling from ${reference.path}\n`);
    const shown = { quiet, to: "stdout", plain: true } as const;
    const pulled = await pullWithProgress(engineFor(global), args[0]!, read.text("platform"), shown, announce);
    if (!quiet) {
      out(`Digest: ${pulled.target.digest}\n`);
      const status = pulled.changed ? "Downloaded newer image for" : "Image is up to date for";
      out(`Status: ${status} ${pulled.reference}\n`);
    }
    out(`${formatReference(reference)}\n`);
    return 0;
  },
};

export const pushCommand: Command = {
  ...transfer,
  name: "push",
  usage: "[OPTIONS] NAME[:TAG]",
  summary: "Upload an image to a registry",
  aliases: ["lap image push", "lap push"],
  flags: [
    { long: "platform", kind: "string", help: "Push a platform-specific manifest as a single-platform image" },
    { long: "quiet", short: "q", kind: "bool", help: "Suppress verbose output" },
  ],
  async run({ flags, args, global }) {
    const read = readFlags(flags);
    const quiet = read.bool("quiet");
    const platform = read.text("platform");
    const reference = parseReference(args[0]!);
    if (!quiet && !/[:@][^/]*$/.test(args[0]!)) out("Using default tag: latest\n");
    if (!quiet) out(`The push refers to repository [${reference.domain}/${reference.path}]\n`);
    const progress = progressPrinter({ quiet, to: "stdout", plain: true });
    using interrupt = interruptible();
    try {
      const pushed = await pushImage(engineFor(global), args[0]!, {
        ...(platform === undefined ? {} : { platform: parsePlatform(platform) }),
        progress: progress.sink,
        signal: interrupt.signal,
      });
      progress.done();
      const { tag = "latest" } = reference;
      out(quiet ? `${args[0]!}\n` : `${tag}: digest: ${pushed.target.digest} size: ${pushed.target.size}\n`);
      return 0;
    } catch (error) {
      if (!(error instanceof LapError) || error.code !== "ERR_LAP_NO_IMAGE") throw error;
      const text = `An image does not exist locally with the tag: ${familiarName(reference)}`;
      throw new LapError("notFound", "ERR_LAP_FILE", text, { cause: error });
    }
  },
};
