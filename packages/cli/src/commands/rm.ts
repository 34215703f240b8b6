// `lap rm`.
import { isLapError } from "@lapstrake/base";
import { readFlags } from "../args/parse.ts";
import type { Command } from "../args/types.ts";
import { engineFor } from "../open.ts";
import { MANY_AT_ONCE, forEachTarget } from "./each.ts";

export const rmCommand: Command = {
  name: "rm",
  usage: "[OPTIONS] CONTAINER [CONTAINER...]",
  summary: "Remove one or more containers",
  aliases: ["lap container rm", "lap container remove", "lap rm"],
  minArgs: 1,
  maxArgs: Infinity,
  interspersed: true,
  errorExitCode: 1,
  flags: [
    { long: "force", short: "f", kind: "bool", help: "Force the removal of a running container (uses SIGKILL)" },
    {
      long: "link",
      short: "l",
      kind: "bool",
      help: "Remove the specified link",
      harmless: ["false"],
      because: "there are no links: containers of a network find each other by name",
    },
    { long: "volumes", short: "v", kind: "bool", help: "Remove anonymous volumes associated with the container" },
  ],
  async run({ flags, args, global }) {
    const force = readFlags(flags).bool("force");
    const volumes = readFlags(flags).bool("volumes");
    const engine = engineFor(global);
    let realFailures = 0;
    await forEachTarget(
      args,
      async (target) => {
        try {
          await engine.remove(engine.find(target), { force, volumes });
        } catch (error) {
          // docker's `rm -f` of a missing container prints the error and succeeds.
          if (!force || !isLapError(error, "notFound")) realFailures++;
          throw error;
        }
      },
      MANY_AT_ONCE,
    );
    return realFailures === 0 ? 0 : 1;
  },
};
