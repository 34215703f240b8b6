// `lap context ls|show|use`: docker's choice of a daemon. There is none here, so the only context is `default`: this program.
import { LapError } from "@lapstrake/base";
import { FORMAT_HELP } from "../args/format-help.ts";
import { readFlags } from "../args/parse.ts";
import type { Command } from "../args/types.ts";
import { err, out } from "../output/print.ts";
import { quietOrFormat } from "../output/quiet.ts";
import { table } from "../output/table.ts";
import { formatRows } from "../output/template.ts";

const common = { interspersed: true, errorExitCode: 1 } as const;
const ROW = { Current: "true", Description: "This program, no daemon", DockerEndpoint: "", Error: "", Name: "default" };

export const contextLsCommand: Command = {
  ...common,
  name: "context ls",
  usage: "[OPTIONS]",
  summary: "List contexts",
  aliases: ["lap context ls", "lap context list"],
  minArgs: 0,
  maxArgs: 0,
  flags: [
    { long: "format", kind: "string", help: FORMAT_HELP },
    { long: "quiet", short: "q", kind: "bool", help: "Only show context names" },
  ],
  run({ flags }) {
    const shown = quietOrFormat(readFlags(flags));
    const plain = table(["NAME", "DESCRIPTION", "DOCKER ENDPOINT", "ERROR"], [["default *", ROW.Description, "", ""]]);
    if (shown === undefined) out(plain);
    else out(shown === "quiet" ? "default\n" : formatRows(shown, [ROW], "formatter.clientContextContext", plain));
    return Promise.resolve(0);
  },
};

export const contextShowCommand: Command = {
  ...common,
  name: "context show",
  usage: "",
  summary: "Print the name of the current context",
  minArgs: 0,
  maxArgs: 0,
  flags: [],
  run() {
    out("default\n");
    return Promise.resolve(0);
  },
};

export const contextUseCommand: Command = {
  ...common,
  name: "context use",
  usage: "CONTEXT",
  summary: "Set the current docker context",
  minArgs: 1,
  maxArgs: 1,
  flags: [],
  run({ args: [name = ""] }) {
    if (name !== "default") {
      throw new LapError("notFound", "ERR_LAP_NOT_SUPPORTED", `context "${name}": context not found`, {
        hint: "there is no daemon to choose; a store is chosen by lap --root FOLDER",
      });
    }
    out("default\n");
    err('Current context is now "default"\n');
    return Promise.resolve(0);
  },
};
