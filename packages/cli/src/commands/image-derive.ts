// `lap image diff|squash|append|rebase`: images compared, and new ones made of those that are here, without a container.
import { LapError, fromByteString } from "@lapstrake/base";
import { appendLocal, appendRemote, imageDifference, rebaseLocal, squashLocal } from "@lapstrake/engine";
import { readFlags } from "../args/parse.ts";
import type { Command, Flag } from "../args/types.ts";
import { engineFor } from "../open.ts";
import { checkOutput, writeArchive } from "../output/archive.ts";
import { shownName } from "../output/name.ts";
import { out } from "../output/print.ts";

const TAG: Flag = { long: "tag", short: "t", kind: "string", valueName: "name", help: "Name of the new image" };
const common = { interspersed: true, errorExitCode: 1 } as const;

export const imageDiffCommand: Command = {
  ...common,
  name: "image diff",
  usage: "[OPTIONS] [BASE] IMAGE",
  summary: "Show what an image has otherwise than another one, or what its topmost layer does",
  minArgs: 1,
  maxArgs: 2,
  flags: [
    { long: "output", short: "o", kind: "string", help: 'Write the difference as a layer to a file ("-": STDOUT)' },
  ],
  async run({ flags, args, global }) {
    const target = readFlags(flags).text("output");
    const file = target === "-" ? undefined : target;
    if (target !== undefined) checkOutput(file, "failed to save layer");
    const [first = "", second] = args;
    const base = second === undefined ? undefined : first;
    const { changes, tar } = await imageDifference(engineFor(global), base, second ?? first);
    if (target === undefined)
      out(changes.map(({ kind, path }) => `${kind} ${shownName(fromByteString(path))}\n`).join(""));
    else await writeArchive(file, tar());
    return 0;
  },
};

export const imageSquashCommand: Command = {
  ...common,
  name: "image squash",
  usage: "[OPTIONS] IMAGE",
  summary: "Make an image with the same files in one layer",
  minArgs: 1,
  maxArgs: 1,
  flags: [{ long: "keep", kind: "int", help: "Lowest layers that stay as they are (default 0)" }, TAG],
  async run({ flags, args, global }) {
    const read = readFlags(flags);
    const request = { name: read.text("tag"), keep: read.number("keep") ?? 0 };
    out(`${(await squashLocal(engineFor(global), args[0]!, request)).id}\n`);
    return 0;
  },
};

export const imageRebaseCommand: Command = {
  ...common,
  name: "image rebase",
  usage: "[OPTIONS] IMAGE OLD_BASE NEW_BASE",
  summary: "Make an image with the layers of another one on a new base",
  minArgs: 3,
  maxArgs: 3,
  flags: [TAG],
  async run({ flags, args, global }) {
    const [image = "", oldBase = "", newBase = ""] = args;
    const request = { name: readFlags(flags).text("tag") };
    out(`${(await rebaseLocal(engineFor(global), { image, oldBase, newBase }, request)).id}\n`);
    return 0;
  },
};

export const imageAppendCommand: Command = {
  ...common,
  name: "image append",
  usage: "[OPTIONS] IMAGE FOLDER|TAR",
  summary: "Make an image with a folder's files, or a tar archive, on top of another one",
  minArgs: 2,
  maxArgs: 2,
  flags: [TAG, { long: "remote", kind: "bool", help: "Both images are in registries; nothing below is pulled" }],
  async run({ flags, args, global }) {
    const read = readFlags(flags);
    const [image = "", path = ""] = args;
    const name = read.text("tag");
    if (!read.bool("remote")) out(`${(await appendLocal(engineFor(global), image, path, { name })).id}\n`);
    else if (name === undefined) {
      throw new LapError("invalidArgument", "ERR_LAP_FLAG_VALUE", "--remote needs --tag, the name in a registry");
    } else out(`${(await appendRemote(image, path, name)).target.digest}\n`);
    return 0;
  },
};
