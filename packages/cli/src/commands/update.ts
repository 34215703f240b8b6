// `lap update`.
import { LapError } from "@lapstrake/base";
import { updateContainer, type ContainerChanges } from "@lapstrake/engine";
import { readFlags, type FlagReader } from "../args/parse.ts";
import type { Command, Invocation } from "../args/types.ts";
import { engineFor } from "../open.ts";
import { forEachTarget } from "./each.ts";
import { restartPolicy } from "./life-flags.ts";
import { RESOURCE_FLAGS, resourceRequest } from "./resource-flags.ts";
import { PORT_UPDATE_FLAGS, updatePublished } from "./update-ports.ts";

const LIMITS = new Set([
  "blkio-weight",
  "cpu-period",
  "cpu-quota",
  "cpu-rt-period",
  "cpu-rt-runtime",
  "cpu-shares",
  "cpus",
  "cpuset-cpus",
  "cpuset-mems",
  "memory",
  "memory-reservation",
  "memory-swap",
  "pids-limit",
]);

export const updateCommand: Command = {
  name: "update",
  usage: "[OPTIONS] CONTAINER [CONTAINER...]",
  summary: "Update configuration of one or more containers",
  aliases: ["lap container update", "lap update"],
  minArgs: 1,
  maxArgs: Infinity,
  interspersed: true,
  errorExitCode: 1,
  flags: [
    ...RESOURCE_FLAGS.filter(({ long }) => LIMITS.has(long)),
    ...PORT_UPDATE_FLAGS,
    { long: "restart", kind: "string", help: "Restart policy to apply when a container exits" } as const,
  ].toSorted((a, b) => (a.long < b.long ? -1 : 1)),
  run: update,
};

async function update({ flags, args, global }: Invocation): Promise<number> {
  const read = readFlags(flags);
  if (Object.keys(flags).length === 0) {
    const message = "you must provide one or more flags when using this command";
    throw new LapError("invalidArgument", "ERR_LAP_CONFLICTING_OPTIONS", message);
  }
  const engine = engineFor(global);
  const changes = asked(read);
  const { exitCode } = await forEachTarget(args, async (target) => {
    const record = engine.find(target);
    if (Object.keys(changes).length > 0) await updateContainer(engine, record, changes);
    await updatePublished(engine, target, read);
  });
  return exitCode;
}

function asked(read: FlagReader): ContainerChanges {
  const restart = restartPolicy(read.text("restart"));
  return { ...resourceRequest(read), ...(restart === undefined ? {} : { restart }) };
}
