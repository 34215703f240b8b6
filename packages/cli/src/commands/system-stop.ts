// `lap system stop`: before the machine stops, or to be rid of every process of a store.
import { stopStore } from "@lapstrake/engine";
import { readFlags } from "../args/parse.ts";
import type { Command, Invocation } from "../args/types.ts";
import { errorText } from "../errors.ts";
import { engineFor } from "../open.ts";
import { err, out } from "../output/print.ts";

export const systemStopCommand: Command = {
  name: "system stop",
  usage: "[OPTIONS]",
  summary:
    "Before a stop of the machine: stop every container; those with a restart policy come back with `lap system start`",
  minArgs: 0,
  maxArgs: 0,
  interspersed: true,
  errorExitCode: 1,
  flags: [
    {
      long: "timeout",
      short: "t",
      kind: "int",
      help: "Seconds to wait before killing a container (default each one's own)",
    },
  ],
  run: systemStop,
};

async function systemStop({ flags, global }: Invocation): Promise<number> {
  const timeoutSec = readFlags(flags).number("timeout");
  const results = await stopStore(engineFor(global), timeoutSec === undefined ? {} : { timeoutSec });
  for (const { record, error } of results) {
    if (error === undefined) out(`${record.name}\n`);
    else err(`${record.name}: ${errorText(error)}\n`);
  }
  return results.every(({ error }) => error === undefined) ? 0 : 1;
}
