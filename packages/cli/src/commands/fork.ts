// `lap fork`: a container that begins with the files another one has now.
import { LapError } from "@lapstrake/base";
import { forkContainer } from "@lapstrake/engine";
import { readFlags } from "../args/parse.ts";
import type { Command } from "../args/types.ts";
import { engineFor } from "../open.ts";
import { out } from "../output/print.ts";

export const forkCommand: Command = {
  name: "fork",
  usage: "[OPTIONS] CONTAINER [NAME]",
  summary: "Create a new container with the files that another one has now",
  aliases: ["lap container fork", "lap fork"],
  minArgs: 1,
  maxArgs: 2,
  interspersed: true,
  errorExitCode: 1,
  flags: [{ long: "start", kind: "bool", help: "Start the new container" }],
  async run({ flags, args, global }) {
    const engine = engineFor(global);
    const [from, name] = args;
    const { record } = await forkContainer(engine, engine.find(from!), {
      held: false,
      ...(name === undefined ? {} : { name }),
    });
    if (readFlags(flags).bool("start")) await started(engine, record);
    out(`${record.id}\n`);
    return 0;
  },
};

/** A fork that cannot start stays, created, and its name is said. */
async function started(
  engine: ReturnType<typeof engineFor>,
  record: Awaited<ReturnType<typeof forkContainer>>["record"],
): Promise<void> {
  try {
    await engine.start(record);
  } catch (cause) {
    const message = `the fork ${record.name} was created but does not start: ${(cause as Error).message}`;
    throw new LapError("failedPrecondition", "ERR_LAP_FORK_START", message, { cause });
  }
}
