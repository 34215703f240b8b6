// `lap snapshot`: a container as an image, without a word about how it is to be run: what `lap commit` does with its defaults.
import { parseReference } from "@lapstrake/base";
import { commitContainer } from "@lapstrake/engine";
import type { Command } from "../args/types.ts";
import { engineFor } from "../open.ts";
import { out } from "../output/print.ts";
import { interruptible } from "../output/progress.ts";

export const snapshotCommand: Command = {
  name: "snapshot",
  usage: "CONTAINER [IMAGE]",
  summary: "Create an image of the files a container has now; a running one is paused meanwhile",
  aliases: ["lap container snapshot", "lap snapshot"],
  minArgs: 1,
  maxArgs: 2,
  interspersed: true,
  errorExitCode: 1,
  flags: [],
  async run({ args, global }) {
    const engine = engineFor(global);
    const reference = args[1] === undefined ? undefined : parseReference(args[1]);
    using interrupt = interruptible();
    const { signal } = interrupt;
    const image = await commitContainer(engine, engine.find(args[0]!), { reference, pause: true, signal });
    out(`${image.id}\n`);
    return 0;
  },
};
