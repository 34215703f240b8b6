// `lap ps`.
import { formatAgo } from "@lapstrake/base";
import {
  isOnUserNetwork,
  portsColumn,
  shortId,
  type ContainerRecord,
  type ContainerStatus,
  type ContainerSummary,
  type Engine,
  type ShownPort,
} from "@lapstrake/engine";
import { FILTER_FLAG } from "../args/filters.ts";
import { FORMAT_HELP } from "../args/format-help.ts";
import { readFlags, type FlagReader } from "../args/parse.ts";
import type { Command, Invocation } from "../args/types.ts";
import { engineFor } from "../open.ts";
import { out } from "../output/print.ts";
import { table } from "../output/table.ts";
import { quietOrFormat } from "../output/quiet.ts";
import type { Row } from "../output/template.ts";
import { commandText, containerStatusText } from "../output/wording.ts";

export const psCommand: Command = {
  name: "ps",
  usage: "[OPTIONS]",
  summary: "List containers",
  aliases: ["lap container ls", "lap container list", "lap container ps", "lap ps"],
  minArgs: 0,
  maxArgs: 0,
  interspersed: true,
  errorExitCode: 1,
  flags: [
    { long: "all", short: "a", kind: "bool", help: "Show all containers (default shows just running)" },
    FILTER_FLAG,
    { long: "format", kind: "string", help: FORMAT_HELP },
    {
      long: "last",
      short: "n",
      kind: "int",
      help: "Show n last created containers (includes all states) (default -1)",
    },
    { long: "latest", short: "l", kind: "bool", help: "Show the latest created container (includes all states)" },
    { long: "no-trunc", kind: "bool", help: "Don't truncate output" },
    { long: "quiet", short: "q", kind: "bool", help: "Only display container IDs" },
    { long: "size", short: "s", kind: "bool", help: "Display total file sizes" },
  ],
  run: ps,
};

const HEADER = ["CONTAINER ID", "IMAGE", "COMMAND", "CREATED", "STATUS", "PORTS", "NAMES"];

async function ps({ flags, global }: Invocation): Promise<number> {
  const read = readFlags(flags);
  const engine = engineFor(global);
  const found = await select(engine, read);
  const noTrunc = read.bool("no-trunc");
  const isOnNetworks = found.some(({ record }) => record.networks !== undefined || isOnUserNetwork(record));
  const ports = isOnNetworks && !read.bool("quiet") ? await engine.publishedPorts() : undefined;
  const plain = found.map((summary) => row(summary, noTrunc, ports?.get(summary.record.id) ?? []));
  const isSized = read.bool("size") || asksSize(read.text("format"));
  const rows =
    isSized && !read.bool("quiet") ? await (await import("./ps-size.ts")).withSizes(engine, found, plain) : plain;
  const plainTable = (): string =>
    read.bool("size") ? table([...HEADER, "SIZE"], rows.map(sizeCells)) : table(HEADER, rows.map(tableCells));
  const shown = quietOrFormat(read);
  if (shown === "quiet") out(rows.map((fields) => `${fields["ID"]}\n`).join(""));
  else if (shown === undefined) out(plainTable());
  else {
    const { formatRows } = await import("../output/template.ts");
    out(formatRows(shown, rows, "formatter.ContainerContext", plainTable()));
  }
  return 0;
}

/** Sizes cost a walk over what each container wrote: only who asks for them pays. */
function asksSize(format: string | undefined): boolean {
  return format !== undefined && /json \.(?!\w)|\.Size/.test(format);
}

/** What --all, --last, --latest and the filters leave. */
async function select(engine: Engine, read: FlagReader): Promise<readonly ContainerSummary[]> {
  const texts = read.list("filter");
  const filter = texts.length === 0 ? undefined : (await import("./ps-filters.ts")).filterFor(engine, texts);
  const all = engine.list();
  const last = read.bool("latest") ? 1 : (read.number("last") ?? -1);
  const anyState = read.bool("all") || last > 0 || filter?.asksState === true;
  const shown = all.filter(({ status }) => anyState || ALIVE.includes(status.state));
  const matching = filter === undefined ? shown : await filter.apply(shown, all);
  return last > 0 ? matching.slice(0, last) : matching;
}

const ALIVE: readonly string[] = ["running", "paused", "restarting"];

function row({ record, status, health }: ContainerSummary, noTrunc: boolean, ports: readonly ShownPort[]): Row {
  const labels = { ...record.image.labels, ...record.request.labels };
  const volumes = (record.mounts ?? []).filter(({ type }) => type === "volume");
  // Docker's list has whole seconds.
  const age = Date.now() - Math.floor(Date.parse(record.createdAt) / 1000) * 1000;
  return {
    Command: `"${commandText(record.process.args, noTrunc)}"`,
    CreatedAt: `${record.createdAt.slice(0, 10)} ${record.createdAt.slice(11, 19)} +0000 UTC`,
    ID: noTrunc ? record.id : shortId(record.id),
    Image: record.image.name,
    Labels: Object.entries(labels)
      .map(([name, value]) => `${name}=${value}`)
      .join(","),
    LocalVolumes: String(volumes.length),
    Mounts: mountNames(record, noTrunc),
    Names: record.name,
    Networks:
      record.networks === undefined ? (record.request.network ?? "none") : Object.keys(record.networks).join(","),
    Platform: null,
    Ports: isAlive(status) ? portsColumn(ports, exposed(record)) : "",
    RunningFor: `${formatAgo(age)} ago`,
    Size: "0B",
    State: status.state,
    Status: containerStatusText(status, health),
  };
}

const MOUNT_WIDTH = 15;

/** Names of volumes and sources of binds, cut as docker cuts them. */
function mountNames({ mounts = [] }: ContainerRecord, noTrunc: boolean): string {
  const names = mounts
    .filter(({ type, unlisted }) => type !== "tmpfs" && unlisted !== true)
    .map(({ source }) => source);
  return names
    .map((name) => (noTrunc || name.length <= MOUNT_WIDTH ? name : `${name.slice(0, MOUNT_WIDTH - 1)}…`))
    .join(",");
}

function isAlive({ state }: ContainerStatus): boolean {
  return state === "running" || state === "paused";
}

/** Exposed ports show where others could reach them: on networks. */
function exposed({ networks, image, request }: ContainerRecord): readonly string[] {
  return networks === undefined ? [] : [...new Set([...(image.exposedPorts ?? []), ...(request.exposedPorts ?? [])])];
}

function tableCells(fields: Row): string[] {
  return ["ID", "Image", "Command", "RunningFor", "Status", "Ports", "Names"].map((key) => fields[key] ?? "");
}

function sizeCells(fields: Row): string[] {
  return [...tableCells(fields), fields["Size"] ?? ""];
}
