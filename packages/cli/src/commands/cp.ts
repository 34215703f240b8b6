// `lap cp`: between a container and this machine, or as a tar on standard input and output.
import { LapError, formatSize } from "@lapstrake/base";
import {
  archiveContainerPath,
  copyFromContainer,
  copyToContainer,
  extractToContainer,
  localSource,
  type Engine,
} from "@lapstrake/engine";
import { resolve } from "node:path";
import { readFlags } from "../args/parse.ts";
import type { Command } from "../args/types.ts";
import { engineFor } from "../open.ts";
import { err, outBytes } from "../output/print.ts";

export const cpCommand: Command = {
  name: "cp",
  usage: "[OPTIONS] CONTAINER:SRC_PATH DEST_PATH|-\n\tlap cp [OPTIONS] SRC_PATH|- CONTAINER:DEST_PATH",
  summary: "Copy files/folders between a container and the local filesystem",
  aliases: ["lap container cp", "lap cp"],
  minArgs: 2,
  maxArgs: 2,
  interspersed: true,
  errorExitCode: 1,
  flags: [
    { long: "archive", short: "a", kind: "bool", help: "Archive mode (copy all uid/gid information)" },
    { long: "follow-link", short: "L", kind: "bool", help: "Always follow symbol link in SRC_PATH" },
    {
      long: "quiet",
      short: "q",
      kind: "bool",
      help: "Suppress progress output during copy. Progress output is automatically suppressed if no terminal is attached",
    },
  ],
  async run({ flags, args, global }) {
    const [source, target] = args as [string, string];
    if (source === "") throw usage("source can not be empty");
    if (target === "") throw usage("destination can not be empty");
    const read = readFlags(flags);
    const options = { archive: read.bool("archive"), followLink: read.bool("follow-link") };
    const quiet = read.has("quiet") ? read.bool("quiet") : !process.stderr.isTTY;
    const from = splitContainer(source);
    const to = splitContainer(target);
    if (from !== undefined && to !== undefined) throw usage("copying between containers is not supported");
    const engine = engineFor(global);
    if (from !== undefined) await copyOut(engine, from, target, options, quiet);
    else if (to !== undefined) await copyIn(engine, source, to, options, quiet);
    else throw usage("must specify at least one container source");
    return 0;
  },
};

interface ContainerPath {
  readonly container: string;
  readonly path: string;
}

/** `CONTAINER:PATH`; a path of this machine is absolute, has no colon, or starts with a dot. */
function splitContainer(text: string): ContainerPath | undefined {
  const at = text.indexOf(":");
  if (at < 0 || text.startsWith("/") || text.startsWith(".")) return undefined;
  return { container: text.slice(0, at), path: text.slice(at + 1) };
}

interface Options {
  readonly archive: boolean;
  readonly followLink: boolean;
}

async function copyOut(
  engine: Engine,
  { container, path }: ContainerPath,
  target: string,
  options: Options,
  quiet: boolean,
): Promise<void> {
  const named = { ...options, shownName: container };
  if (target === "-") {
    if (process.stdout.isTTY) throw usage("cowardly refusing to copy to a terminal");
    await archiveContainerPath(engine, engine.find(container), path, outBytes, named);
    return;
  }
  const bytes = await copyFromContainer(engine, engine.find(container), path, target, named);
  if (!quiet) err(`Successfully copied ${formatSize(bytes)} to ${resolve(target)}\n`);
}

async function copyIn(
  engine: Engine,
  source: string,
  { container, path }: ContainerPath,
  options: Options,
  quiet: boolean,
): Promise<void> {
  const named = { ...options, shownName: container };
  if (source === "-") {
    await extractToContainer(engine, engine.find(container), process.stdin, path, named);
    return;
  }
  // As docker: what is wrong here comes before what is wrong there.
  localSource(source, options.followLink);
  const bytes = await copyToContainer(engine, engine.find(container), source, path, named);
  if (!quiet) err(`Successfully copied ${formatSize(bytes)} to ${container}:${path}\n`);
}

function usage(message: string): LapError {
  return new LapError("invalidArgument", "ERR_LAP_COPY", message);
}
