// `lap images`.
import { LapError, formatAgo, formatSize } from "@lapstrake/base";
import { listImages, type ImageRow } from "@lapstrake/engine";
import { readFlags } from "../args/parse.ts";
import type { Command } from "../args/types.ts";
import { engineFor } from "../open.ts";
import { out } from "../output/print.ts";
import { table } from "../output/table.ts";
import { formatRows } from "../output/template.ts";

export const imagesCommand: Command = {
  name: "images",
  usage: "[OPTIONS] [REPOSITORY[:TAG]]",
  summary: "List images",
  aliases: ["lap image ls", "lap image list", "lap images"],
  minArgs: 0,
  maxArgs: 1,
  interspersed: true,
  errorExitCode: 1,
  flags: [
    { long: "all", short: "a", kind: "bool", help: "Show all images (default hides intermediate images)" },
    { long: "digests", kind: "bool", help: "Show digests" },
    {
      long: "filter",
      short: "f",
      kind: "list",
      valueName: "filter",
      help: "Filter output based on conditions provided",
    },
    {
      long: "format",
      kind: "string",
      help: "Format output: a Go template of plain fields, `table TEMPLATE` or `json`",
    },
    { long: "no-trunc", kind: "bool", help: "Don't truncate output" },
    { long: "quiet", short: "q", kind: "bool", help: "Only show image IDs" },
  ],
  async run({ flags, args, global }) {
    const read = readFlags(flags);
    for (const filter of read.list("filter")) {
      const key = filter.split("=", 1)[0]!;
      throw new LapError("invalidArgument", "ERR_LAP_FILTER_INVALID", `Invalid filter '${key}'`);
    }
    const rows = (await listImages(engineFor(global), args[0])).map((image) => fields(image, read.bool("no-trunc")));
    if (read.bool("quiet")) out([...new Set(rows.map((row) => `${row["ID"]}\n`))].join(""));
    else if (read.has("format")) out(formatRows(read.text("format")!, rows, "formatter.imageContext"));
    else out(imageTable(rows, read.bool("digests")));
    return 0;
  },
};

function imageTable(rows: readonly Readonly<Record<string, string>>[], digests: boolean): string {
  const digest = digests ? ["Digest"] : [];
  const keys = ["Repository", "Tag", ...digest, "ID", "CreatedSince", "Size"];
  const header = ["REPOSITORY", "TAG", ...digest.map(() => "DIGEST"), "IMAGE ID", "CREATED", "SIZE"];
  return table(
    header,
    rows.map((row) => keys.map((key) => row[key]!)),
  );
}

function fields(image: ImageRow, noTrunc: boolean): Record<string, string> {
  const hex = image.id.slice("sha256:".length);
  const createdMs = image.created === undefined ? undefined : Date.parse(image.created);
  return {
    Containers: "N/A",
    CreatedAt:
      createdMs === undefined ? "N/A" : `${new Date(createdMs).toISOString().slice(0, 19).replace("T", " ")} +0000 UTC`,
    CreatedSince: createdMs === undefined ? "N/A" : `${formatAgo(Date.now() - createdMs)} ago`,
    Digest: image.digest ?? "<none>",
    ID: noTrunc ? image.id : hex.slice(0, 12),
    Repository: image.repository ?? "<none>",
    SharedSize: "N/A",
    Size: formatSize(image.sizeBytes),
    Tag: image.tag ?? "<none>",
    UniqueSize: "N/A",
    VirtualSize: formatSize(image.sizeBytes, 4),
  };
}
