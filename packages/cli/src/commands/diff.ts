// `lap diff`.
import { containerChanges } from "@lapstrake/engine";
import { fromByteString } from "@lapstrake/base";
import type { Command } from "../args/types.ts";
import { engineFor } from "../open.ts";
import { shownName } from "../output/name.ts";
import { out } from "../output/print.ts";

export const diffCommand: Command = {
  name: "diff",
  usage: "CONTAINER",
  summary: "Inspect changes to files or directories on a container's filesystem",
  aliases: ["lap container diff", "lap diff"],
  minArgs: 1,
  maxArgs: 1,
  interspersed: true,
  errorExitCode: 1,
  flags: [],
  async run({ args, global }) {
    const engine = engineFor(global);
    const changes = await containerChanges(engine, engine.find(args[0]!));
    out(changes.map(({ kind, path }) => `${kind} ${shownName(fromByteString(path))}\n`).join(""));
    return 0;
  },
};
