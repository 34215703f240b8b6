// `lap rmi` and `lap tag`.
import { LapError, isLapError } from "@lapstrake/base";
import { removeImage, tagImage } from "@lapstrake/engine";
import { readFlags } from "../args/parse.ts";
import type { Command } from "../args/types.ts";
import { engineFor } from "../open.ts";
import { removeEach } from "./each.ts";

export const rmiCommand: Command = {
  name: "rmi",
  usage: "[OPTIONS] IMAGE [IMAGE...]",
  summary: "Remove one or more images",
  aliases: ["lap image rm", "lap image remove", "lap rmi"],
  minArgs: 1,
  maxArgs: Infinity,
  interspersed: true,
  errorExitCode: 1,
  flags: [
    { long: "force", short: "f", kind: "bool", help: "Force removal of the image" },
    { long: "no-prune", kind: "bool", help: "Do not delete untagged parents" },
  ],
  async run({ flags, args, global }) {
    const force = readFlags(flags).bool("force");
    const engine = engineFor(global);
    return await removeEach(args, force, async (name) => {
      const { untagged, deleted, layers } = await removeImage(engine, name, { force });
      const gone = [...deleted, ...layers].map((id) => `Deleted: ${id}`);
      return [...untagged.map((reference) => `Untagged: ${reference}`), ...gone].join("\n");
    });
  },
};

export const tagCommand: Command = {
  name: "tag",
  usage: "SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]",
  summary: "Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE",
  aliases: ["lap image tag", "lap tag"],
  minArgs: 2,
  maxArgs: 2,
  interspersed: true,
  errorExitCode: 1,
  flags: [],
  async run({ args, global }) {
    const [source, target] = args as [string, string];
    try {
      await tagImage(engineFor(global), source, target);
    } catch (error) {
      if (!isLapError(error) || error.code !== "ERR_LAP_REFERENCE_INVALID") throw error;
      throw new LapError(
        "invalidArgument",
        error.code,
        `Error parsing reference: "${target}" is not a valid repository/tag: ${error.message}`,
      );
    }
    return 0;
  },
};
