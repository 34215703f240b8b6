// `lap commit`.
import { parseReference } from "@lapstrake/base";
import { commitContainer } from "@lapstrake/engine";
import { imageChanges } from "../args/image-changes.ts";
import { readFlags } from "../args/parse.ts";
import type { Command } from "../args/types.ts";
import { engineFor } from "../open.ts";
import { out } from "../output/print.ts";
import { interruptible } from "../output/progress.ts";

export const commitCommand: Command = {
  name: "commit",
  usage: "[OPTIONS] CONTAINER [REPOSITORY[:TAG]]",
  summary: "Create a new image from a container's changes",
  aliases: ["lap container commit", "lap commit"],
  minArgs: 1,
  maxArgs: 2,
  interspersed: true,
  errorExitCode: 1,
  flags: [
    { long: "author", short: "a", kind: "string", help: 'Author (e.g., "John Hannibal Smith <hannibal@a-team.com>")' },
    { long: "change", short: "c", kind: "list", help: "Apply Dockerfile instruction to the created image" },
    { long: "message", short: "m", kind: "string", help: "Commit message" },
    { long: "pause", short: "p", kind: "bool", help: "Pause container during commit (default true)" },
  ],
  async run({ flags, args, global }) {
    const read = readFlags(flags);
    const reference = args[1] === undefined ? undefined : parseReference(args[1]);
    const engine = engineFor(global);
    using interrupt = interruptible();
    const image = await commitContainer(engine, engine.find(args[0]!), {
      reference,
      signal: interrupt.signal,
      config: imageChanges(read.list("change")),
      author: read.text("author"),
      message: read.text("message"),
      pause: !read.has("pause") || read.bool("pause"),
    });
    out(`${image.id}\n`);
    return 0;
  },
};
