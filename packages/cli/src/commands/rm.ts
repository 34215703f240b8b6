// `lap rm`.
import { readFlags } from "../args/parse.ts";
import type { Command } from "../args/types.ts";
import { engineFor } from "../open.ts";
import { MANY_AT_ONCE, removeEach } from "./each.ts";

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
    return await removeEach(
      args,
      force,
      (target) => engine.remove(engine.find(target), { force, volumes }),
      MANY_AT_ONCE,
    );
  },
};
