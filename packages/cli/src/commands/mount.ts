// `lap mount --union TOP:BELOW TARGET` and `lap umount TARGET`: folders of this machine as one.
import { LapError } from "@lapstrake/base";
import { mountFolders, unmountFolders } from "@lapstrake/engine";
import { readFlags } from "../args/parse.ts";
import type { Command } from "../args/types.ts";

const common = { interspersed: true, errorExitCode: 1 } as const;

export const mountCommand: Command = {
  ...common,
  name: "mount",
  usage: "--union FOLDER[=rw|ro]:FOLDER[:FOLDER...] TARGET",
  summary: "Mount folders of this machine as one, the first on top and writable",
  minArgs: 1,
  maxArgs: 1,
  flags: [{ long: "union", kind: "string", valueName: "folders", help: "Folders, the first on top" }],
  run({ flags, args }) {
    const folders = readFlags(flags).text("union");
    if (folders === undefined) {
      throw new LapError("invalidArgument", "ERR_LAP_UNION", "what to mount is missing", {
        hint: "lap mount --union TOP:BELOW TARGET",
      });
    }
    mountFolders(folders, args[0]!);
    return Promise.resolve(0);
  },
};

export const umountCommand: Command = {
  ...common,
  name: "umount",
  usage: "TARGET",
  summary: "Take a mount of `lap mount` away",
  minArgs: 1,
  maxArgs: 1,
  flags: [],
  run({ args }) {
    unmountFolders(args[0]!);
    return Promise.resolve(0);
  },
};
