// `lap start`.
import { isLapError, LapError } from "@lapstrake/base";
import { readFlags } from "../args/parse.ts";
import type { Command } from "../args/types.ts";
import { engineFor } from "../open.ts";
import { err } from "../output/print.ts";
import { foreground } from "../terminal/session.ts";
import { forEachTarget } from "./each.ts";

const PAUSED = "cannot start a paused container, try unpause instead";

/** Somebody else was quicker: it runs, as was asked for. */
function forgiveRunning(error: unknown): void {
  if (!isLapError(error) || error.code !== "ERR_LAP_ALREADY_RUNNING") throw error;
}

export const startCommand: Command = {
  name: "start",
  usage: "[OPTIONS] CONTAINER [CONTAINER...]",
  summary: "Start one or more stopped containers",
  aliases: ["lap container start", "lap start"],
  minArgs: 1,
  maxArgs: Infinity,
  interspersed: true,
  errorExitCode: 1,
  flags: [
    { long: "attach", short: "a", kind: "bool", help: "Attach STDOUT/STDERR and forward signals" },
    { long: "detach-keys", kind: "string", help: "Override the key sequence for detaching a container" },
    { long: "interactive", short: "i", kind: "bool", help: "Attach container's STDIN" },
  ],
  async run({ flags, args, global }) {
    const read = readFlags(flags);
    const engine = engineFor(global);
    if (read.bool("attach") || read.bool("interactive")) {
      if (args.length > 1) {
        throw new LapError(
          "invalidArgument",
          "ERR_LAP_CONFLICTING_OPTIONS",
          "you cannot start and attach multiple containers at once",
        );
      }
      const record = engine.find(args[0]!);
      const options = {
        stdin: read.bool("interactive"),
        detachKeys: read.text("detach-keys"),
        sigProxy: true,
        debug: undefined,
        removeOnFailure: false,
      };
      try {
        return await foreground(engine, record, options);
      } catch (error) {
        forgiveRunning(error);
        // It runs already: then this is an attach.
        return (await import("./attach.ts")).attachTo(engine, record, options);
      }
    }
    const { failed, exitCode } = await forEachTarget(args, async (target) => {
      const record = engine.find(target);
      const { state } = engine.status(record);
      if (state === "paused") throw new LapError("conflict", "ERR_LAP_PAUSED", PAUSED);
      if (state !== "running") await engine.start(record).catch(forgiveRunning);
    });
    if (failed.length > 0) err(`Error: failed to start containers: ${failed.join(", ")}\n`);
    return exitCode;
  },
};
