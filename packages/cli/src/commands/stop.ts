// `lap stop` and `lap kill`.
import { LapError, isLapError } from "@lapstrake/base";
import { parseSignal, restartContainer, stopContainer, type ContainerRecord, type Engine } from "@lapstrake/engine";
import { readFlags } from "../args/parse.ts";
import type { Command, FlagValues } from "../args/types.ts";
import { engineFor } from "../open.ts";
import { MANY_AT_ONCE, forEachTarget } from "./each.ts";

const many = { minArgs: 1, maxArgs: Infinity, interspersed: true, errorExitCode: 1 } as const;

export const stopCommand: Command = {
  ...many,
  name: "stop",
  usage: "[OPTIONS] CONTAINER [CONTAINER...]",
  summary: "Stop one or more running containers",
  aliases: ["lap container stop", "lap stop"],
  flags: [
    { long: "signal", short: "s", kind: "string", help: "Signal to send to the container" },
    { long: "time", kind: "int", help: "Seconds to wait before killing the container", hidden: true },
    { long: "timeout", short: "t", kind: "int", help: "Seconds to wait before killing the container" },
  ],
  async run({ flags, args, global }) {
    const engine = engineFor(global);
    const stop = (target: string): Promise<void> => stopContainer(engine, engine.find(target), stopOptions(flags));
    const { exitCode } = await forEachTarget(args, stop, MANY_AT_ONCE);
    return exitCode;
  },
};

export const restartCommand: Command = {
  ...stopCommand,
  name: "restart",
  summary: "Restart one or more containers",
  aliases: ["lap container restart", "lap restart"],
  async run({ flags, args, global }) {
    const engine = engineFor(global);
    const { exitCode } = await forEachTarget(
      args,
      async (target) => {
        await restartContainer(engine, engine.find(target), stopOptions(flags));
      },
      MANY_AT_ONCE,
    );
    return exitCode;
  },
};

export const killCommand: Command = {
  ...many,
  name: "kill",
  usage: "[OPTIONS] CONTAINER [CONTAINER...]",
  summary: "Kill one or more running containers",
  aliases: ["lap container kill", "lap kill"],
  flags: [{ long: "signal", short: "s", kind: "string", help: "Signal to send to the container" }],
  async run({ flags, args, global }) {
    const signal = readFlags(flags).text("signal") ?? "KILL";
    const engine = engineFor(global);
    const { exitCode } = await forEachTarget(args, async (target) => {
      const number = signalNumber(signal);
      const record = findToKill(engine, target);
      if (!["running", "paused"].includes(engine.status(record).state)) {
        throw new LapError(
          "conflict",
          "ERR_LAP_NOT_RUNNING",
          `Cannot kill container: ${target}: Container ${record.id} is not running`,
        );
      }
      await engine.signal(record, number);
    });
    return exitCode;
  },
};

function findToKill(engine: Engine, target: string): ContainerRecord {
  try {
    return engine.find(target);
  } catch (error) {
    if (!isLapError(error, "notFound")) throw error;
    throw new LapError("notFound", error.code, `Cannot kill container: ${target}: ${error.message}`, { cause: error });
  }
}

function stopOptions(flags: FlagValues): { timeoutSec?: number; signal?: number } {
  const read = readFlags(flags);
  const timeoutSec = read.number("timeout") ?? read.number("time");
  const signal = read.text("signal");
  return {
    ...(timeoutSec === undefined ? {} : { timeoutSec }),
    ...(signal === undefined ? {} : { signal: signalNumber(signal) }),
  };
}

function signalNumber(text: string): number {
  const number = parseSignal(text);
  if (number !== undefined) return number;
  throw new LapError("invalidArgument", "ERR_LAP_SIGNAL_INVALID", `Invalid signal: ${text}`);
}
