// `lap pause`, `lap unpause` and `lap rename`.
import {
  pauseContainer,
  renameContainer,
  unpauseContainer,
  type ContainerRecord,
  type Engine,
} from "@lapstrake/engine";
import type { Command } from "../args/types.ts";
import { errorText } from "../errors.ts";
import { engineFor } from "../open.ts";
import { err } from "../output/print.ts";
import { forEachTarget } from "./each.ts";

function manyTargets(
  name: string,
  summary: string,
  act: (engine: Engine, record: ContainerRecord) => Promise<void>,
): Command {
  return {
    name,
    usage: "CONTAINER [CONTAINER...]",
    summary,
    aliases: [`lap container ${name}`, `lap ${name}`],
    minArgs: 1,
    maxArgs: Infinity,
    interspersed: true,
    errorExitCode: 1,
    flags: [],
    async run({ args, global }) {
      const engine = engineFor(global);
      return (await forEachTarget(args, (target) => act(engine, engine.find(target)))).exitCode;
    },
  };
}

export const pauseCommand: Command = manyTargets(
  "pause",
  "Pause all processes within one or more containers",
  pauseContainer,
);

export const unpauseCommand: Command = manyTargets(
  "unpause",
  "Unpause all processes within one or more containers",
  unpauseContainer,
);

export const renameCommand: Command = {
  name: "rename",
  usage: "CONTAINER NEW_NAME",
  summary: "Rename a container",
  aliases: ["lap container rename", "lap rename"],
  minArgs: 2,
  maxArgs: 2,
  interspersed: true,
  errorExitCode: 1,
  flags: [],
  async run({ args, global }) {
    const [from, to] = args as [string, string];
    try {
      const engine = engineFor(global);
      await renameContainer(engine, engine.find(from), to);
      return 0;
    } catch (error) {
      err(`${errorText(error)}\nError: failed to rename container named ${from}\n`);
      return 1;
    }
  },
};
