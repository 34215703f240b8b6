// `lap save` and `lap history`.
import { LapError, formatAgo, formatSize } from "@lapstrake/base";
import { imageHistory, saveImages, wasmArtifactArchive, type HistoryRow } from "@lapstrake/engine";
import { readFlags } from "../args/parse.ts";
import type { Command } from "../args/types.ts";
import { engineFor } from "../open.ts";
import { checkOutput, writeArchive } from "../output/archive.ts";
import { out } from "../output/print.ts";
import { table } from "../output/table.ts";
import { formatRows } from "../output/template.ts";

export const saveCommand: Command = {
  name: "save",
  usage: "[OPTIONS] IMAGE [IMAGE...]",
  summary: "Save one or more images to a tar archive (streamed to STDOUT by default)",
  aliases: ["lap image save", "lap save"],
  minArgs: 1,
  maxArgs: Infinity,
  interspersed: true,
  errorExitCode: 1,
  flags: [
    { long: "format", kind: "string", help: '"oci" (default), or "wasm-artifact": one Wasm program as CNCF artifact' },
    { long: "output", short: "o", kind: "string", help: "Write to a file, instead of STDOUT" },
  ],
  async run({ flags, args, global }) {
    const read = readFlags(flags);
    const file = read.text("output");
    checkOutput(file, "failed to save image");
    const engine = engineFor(global);
    if (isArtifact(read.text("format"), args)) await writeArchive(file, await wasmArtifactArchive(engine, args[0]!));
    else await writeArchive(file, await saveImages(engine, args));
    return 0;
  },
};

function isArtifact(format: string | undefined, { length }: readonly string[]): boolean {
  if (format === undefined || format === "oci") return false;
  if (format === "wasm-artifact" && length === 1) return true;
  throw new LapError("invalidArgument", "ERR_LAP_FLAG_VALUE", `cannot save ${length} images as "${format}"`, {
    hint: "formats are oci, and wasm-artifact for one image",
  });
}

export const historyCommand: Command = {
  name: "history",
  usage: "[OPTIONS] IMAGE",
  summary: "Show the history of an image",
  aliases: ["lap image history", "lap history"],
  minArgs: 1,
  maxArgs: 1,
  interspersed: true,
  errorExitCode: 1,
  flags: [
    { long: "format", kind: "string", help: "Format output: a Go template, `table TEMPLATE` or `json`" },
    { long: "human", short: "H", kind: "bool", help: "Print sizes and dates in human readable format (default true)" },
    { long: "no-trunc", kind: "bool", help: "Don't truncate output" },
    { long: "quiet", short: "q", kind: "bool", help: "Only show image IDs" },
  ],
  async run({ flags, args, global }) {
    const read = readFlags(flags);
    const human = !read.has("human") || read.bool("human");
    const rows = (await imageHistory(engineFor(global), args[0]!)).map((row) =>
      fields(row, read.bool("no-trunc"), human),
    );
    const keys = ["ID", "CreatedSince", "CreatedBy", "Size", "Comment"];
    const header = ["IMAGE", human ? "CREATED" : "CREATED AT", "CREATED BY", "SIZE", "COMMENT"];
    if (read.bool("quiet")) out(rows.map((row) => `${row["ID"]}\n`).join(""));
    else if (read.has("format")) out(formatRows(read.text("format")!, rows, "formatter.historyContext"));
    else
      out(
        table(
          header,
          rows.map((row) => keys.map((key) => row[key]!)),
        ),
      );
    return 0;
  },
};

function fields(row: HistoryRow, noTrunc: boolean, human: boolean): Record<string, string> {
  const id = row.id === undefined ? "<missing>" : noTrunc ? row.id : row.id.slice(7, 19);
  const createdBy = row.createdBy.replaceAll("\t", " ");
  const ago = row.created === undefined ? "N/A" : `${formatAgo(Date.now() - Date.parse(row.created))} ago`;
  return {
    Comment: row.comment,
    CreatedAt: row.created ?? "N/A",
    CreatedBy: noTrunc || createdBy.length <= 45 ? createdBy : `${createdBy.slice(0, 44)}…`,
    CreatedSince: human ? ago : (row.created ?? "N/A"),
    ID: id,
    Size: human ? formatSize(row.sizeBytes) : String(row.sizeBytes),
  };
}
