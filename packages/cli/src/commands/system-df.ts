// `lap system df`: what the store takes on the disk, in docker's tables.
import { formatAgo, formatSize } from "@lapstrake/base";
import { diskUsage, shortId, type DiskUsage } from "@lapstrake/engine";
import { FORMAT_HELP } from "../args/format-help.ts";
import { readFlags } from "../args/parse.ts";
import type { Command } from "../args/types.ts";
import { engineFor } from "../open.ts";
import { out } from "../output/print.ts";
import { table } from "../output/table.ts";
import { formatRows } from "../output/template.ts";
import { commandText, containerStatusText } from "../output/wording.ts";

const DIGITS = 4;
const PERCENT = 100;

export const systemDfCommand: Command = {
  name: "system df",
  usage: "[OPTIONS]",
  summary: "Show disk usage",
  minArgs: 0,
  maxArgs: 0,
  interspersed: true,
  errorExitCode: 1,
  flags: [
    { long: "format", kind: "string", help: FORMAT_HELP },
    { long: "verbose", short: "v", kind: "bool", help: "Show detailed information on space usage" },
  ],
  async run({ flags, global }) {
    const read = readFlags(flags);
    const usage = await diskUsage(engineFor(global));
    const format = read.text("format");
    const rows = summaryRows(usage);
    if (format !== undefined && format !== "")
      out(formatRows(format, rows, "formatter.diskUsageContext", plain(rows), HEADERS));
    else out(read.bool("verbose") ? verbose(usage) : plain(rows));
    return 0;
  },
};

const HEADERS = { Type: "TYPE", TotalCount: "TOTAL", Active: "ACTIVE", Size: "SIZE", Reclaimable: "RECLAIMABLE" };

type Row = Readonly<Record<keyof typeof HEADERS, string>>;

function row(Type: string, total: number, active: number, bytes: number, reclaimable: number, percent = true): Row {
  const share = percent && bytes > 0 ? ` (${Math.trunc((reclaimable / bytes) * PERCENT)}%)` : "";
  return {
    Active: String(active),
    Reclaimable: `${formatSize(reclaimable, DIGITS)}${share}`,
    Size: formatSize(bytes, DIGITS),
    TotalCount: String(total),
    Type,
  };
}

function summaryRows({ images, imageBytes, imageReclaimableBytes, containers, volumes }: DiskUsage): Row[] {
  const alive = containers.filter(({ status }) => ["running", "paused", "restarting"].includes(status.state));
  const bytesOf = (list: readonly { readonly bytes: number }[]): number =>
    list.reduce((sum, { bytes }) => sum + bytes, 0);
  const unused = volumes.filter(({ links }) => links === 0);
  const ended = containers.filter((each) => !alive.includes(each));
  const used = images.filter((image) => image.containers > 0);
  return [
    row("Images", images.length, used.length, imageBytes, imageReclaimableBytes),
    row("Containers", containers.length, alive.length, bytesOf(containers), bytesOf(ended)),
    row("Local Volumes", volumes.length, volumes.length - unused.length, bytesOf(volumes), bytesOf(unused)),
    row("Build Cache", 0, 0, 0, 0, false),
  ];
}

function plain(rows: readonly Row[]): string {
  const keys = Object.keys(HEADERS) as (keyof Row)[];
  return table(
    Object.values(HEADERS),
    rows.map((each) => keys.map((key) => each[key])),
  );
}

function verbose(usage: DiskUsage): string {
  return [
    `Images space usage:\n\n${imageTable(usage)}`,
    `Containers space usage:\n\n${containerTable(usage)}`,
    `Local Volumes space usage:\n\n${volumeTable(usage)}`,
    `Build cache usage: 0B\n\n${table(["CACHE ID", "CACHE TYPE", "SIZE", "CREATED", "LAST USED", "USAGE", "SHARED"], [])}`,
  ].join("\n");
}

function imageTable({ images }: DiskUsage): string {
  const header = ["REPOSITORY", "TAG", "IMAGE ID", "CREATED", "SIZE", "SHARED SIZE", "UNIQUE SIZE", "CONTAINERS"];
  const rows = images.flatMap((image) => {
    const names = image.references.length === 0 ? ["<none>:<none>"] : image.references;
    return names.map((name) => {
      const at = name.lastIndexOf(":");
      const created = image.created === undefined ? "N/A" : `${formatAgo(Date.now() - Date.parse(image.created))} ago`;
      const id = image.id.slice("sha256:".length, "sha256:".length + 12);
      return [
        name.slice(0, at),
        name.slice(at + 1),
        id,
        created,
        formatSize(image.bytes),
        formatSize(image.sharedBytes, DIGITS),
        formatSize(image.uniqueBytes, DIGITS),
        String(image.containers),
      ];
    });
  });
  return table(header, rows);
}

function containerTable({ containers }: DiskUsage): string {
  const header = ["CONTAINER ID", "IMAGE", "COMMAND", "LOCAL VOLUMES", "SIZE", "CREATED", "STATUS", "NAMES"];
  const rows = containers.map(({ record, status, health, bytes, volumes }) => [
    shortId(record.id),
    record.image.name,
    `"${commandText(record.process.args, false)}"`,
    String(volumes),
    formatSize(bytes),
    `${formatAgo(Date.now() - Date.parse(record.createdAt))} ago`,
    containerStatusText(status, health),
    record.name,
  ]);
  return table(header, rows);
}

function volumeTable({ volumes }: DiskUsage): string {
  return table(
    ["VOLUME NAME", "LINKS", "SIZE"],
    volumes.map(({ name, links, bytes }) => [name, String(links), formatSize(bytes)]),
  );
}
