// `lap load`.
import { createReadStream, statSync } from "node:fs";
import { LapError, errorCode } from "@lapstrake/base";
import { loadImages, type LoadInput } from "@lapstrake/engine";
import { readFlags } from "../args/parse.ts";
import type { Command } from "../args/types.ts";
import { engineFor } from "../open.ts";
import { out } from "../output/print.ts";
import { abortable } from "../output/abortable.ts";
import { interruptible, progressPrinter } from "../output/progress.ts";

export const loadCommand: Command = {
  name: "load",
  usage: "[OPTIONS]",
  summary: "Load an image from a tar archive, an OCI layout folder or STDIN",
  aliases: ["lap image load", "lap load"],
  minArgs: 0,
  maxArgs: 0,
  interspersed: true,
  errorExitCode: 1,
  flags: [
    {
      long: "input",
      short: "i",
      kind: "string",
      help: "Read from tar archive file or OCI layout folder, instead of STDIN",
    },
    { long: "quiet", short: "q", kind: "bool", help: "Suppress the load output" },
  ],
  async run({ flags, global }) {
    const read = readFlags(flags);
    const input = loadInput(read.text("input"));
    const progress = progressPrinter({ quiet: read.bool("quiet"), to: "stdout", plain: false });
    using interrupt = interruptible();
    const { signal } = interrupt;
    const source = input.kind === "dir" ? input : { ...input, stream: abortable(input.stream, signal) };
    const loaded = await loadImages(engineFor(global), source, progress.sink);
    progress.done();
    for (const { reference, id } of loaded) {
      out(reference === undefined ? `Loaded image ID: ${id}\n` : `Loaded image: ${reference}\n`);
    }
    return 0;
  },
};

function loadInput(path: string | undefined): LoadInput {
  if (path === undefined) {
    if (!process.stdin.isTTY) return { kind: "stream", stream: process.stdin };
    throw new LapError("invalidArgument", "ERR_LAP_NOT_A_TTY", "requested load from stdin, but stdin is empty");
  }
  try {
    if (statSync(path).isDirectory()) return { kind: "dir", path };
  } catch (cause) {
    const why = errorCode(cause) === "ENOENT" ? "no such file or directory" : String(errorCode(cause));
    throw new LapError("notFound", "ERR_LAP_FILE", `open ${path}: ${why}`, { cause });
  }
  return { kind: "stream", stream: createReadStream(path, { highWaterMark: 1024 * 1024 }) };
}
