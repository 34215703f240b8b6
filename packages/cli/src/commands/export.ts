// `lap export` and `lap import`.
import { createReadStream, openSync } from "node:fs";
import { LapError, errorCode, parseReference } from "@lapstrake/base";
import { exportContainer, importImage } from "@lapstrake/engine";
import { imageChanges } from "../args/image-changes.ts";
import { readFlags } from "../args/parse.ts";
import type { Command } from "../args/types.ts";
import { engineFor } from "../open.ts";
import { checkOutput, writeArchive } from "../output/archive.ts";
import { abortable } from "../output/abortable.ts";
import { out } from "../output/print.ts";
import { interruptible } from "../output/progress.ts";

export const exportCommand: Command = {
  name: "export",
  usage: "[OPTIONS] CONTAINER",
  summary: "Export a container's filesystem as a tar archive",
  aliases: ["lap container export", "lap export"],
  minArgs: 1,
  maxArgs: 1,
  interspersed: true,
  errorExitCode: 1,
  flags: [{ long: "output", short: "o", kind: "string", help: "Write to a file, instead of STDOUT" }],
  async run({ flags, args, global }) {
    const file = readFlags(flags).text("output");
    checkOutput(file, "failed to export container");
    const engine = engineFor(global);
    await exportContainer(engine, engine.find(args[0]!), (tar) => writeArchive(file, tar));
    return 0;
  },
};

export const importCommand: Command = {
  name: "import",
  usage: "[OPTIONS] file|URL|- [REPOSITORY[:TAG]]",
  summary: "Import the contents from a tarball to create a filesystem image",
  aliases: ["lap image import", "lap import"],
  minArgs: 1,
  maxArgs: 2,
  interspersed: true,
  errorExitCode: 1,
  flags: [
    { long: "change", short: "c", kind: "list", help: "Apply Dockerfile instruction to the created image" },
    { long: "message", short: "m", kind: "string", help: "Set commit message for imported image" },
    {
      long: "platform",
      kind: "string",
      help: "Set platform if server is multi-platform capable",
      harmless: ["", "linux", `linux/${process.arch === "x64" ? "amd64" : process.arch}`],
      because: "an import is an image for this machine; load an OCI layout for another one",
    },
  ],
  async run({ flags, args, global }) {
    const read = readFlags(flags);
    const [source, name] = args as [string, string?];
    const reference = name === undefined ? undefined : parseReference(name);
    using interrupt = interruptible();
    const stream = abortable(await opened(source), interrupt.signal);
    const image = await importImage(engineFor(global), stream, {
      reference,
      message: read.text("message") ?? `Imported from ${source}`,
      config: imageChanges(read.list("change")),
    });
    out(`${image.id}\n`);
    return 0;
  },
};

async function opened(source: string): Promise<AsyncIterable<Uint8Array>> {
  if (source === "-") return process.stdin;
  if (/^https?:\/\//.test(source)) return fetched(source);
  try {
    return createReadStream(source, { fd: openSync(source, "r"), highWaterMark: 1024 * 1024 });
  } catch (cause) {
    const why = errorCode(cause) === "ENOENT" ? "no such file or directory" : String(errorCode(cause));
    throw new LapError("notFound", "ERR_LAP_FILE", `open ${source}: ${why}`, { cause });
  }
}

/** The body of what a web server has. Throws `ERR_LAP_FILE`. */
async function fetched(url: string): Promise<AsyncIterable<Uint8Array>> {
  const answer = await fetch(url).catch((cause: unknown) => {
    throw new LapError("unavailable", "ERR_LAP_FILE", `cannot get ${url}`, { cause });
  });
  if (answer.ok && answer.body !== null) return answer.body as AsyncIterable<Uint8Array>;
  throw new LapError("unavailable", "ERR_LAP_FILE", `unable to get ${url}: HTTP status ${answer.status}`);
}
