// `lap wait`.
import { waitSettled } from "@lapstrake/engine";
import type { Command } from "../args/types.ts";
import { engineFor } from "../open.ts";
import { forEachTarget } from "./each.ts";

export const waitCommand: Command = {
  name: "wait",
  usage: "CONTAINER [CONTAINER...]",
  summary: "Block until one or more containers stop, then print their exit codes",
  aliases: ["lap container wait", "lap wait"],
  minArgs: 1,
  maxArgs: Infinity,
  interspersed: true,
  errorExitCode: 1,
  flags: [],
  async run({ args, global }) {
    const engine = engineFor(global);
    const { exitCode } = await forEachTarget(args, async (target) =>
      String((await waitSettled(engine, engine.find(target))).exitCode),
    );
    return exitCode;
  },
};
