// `lap ps`.
import { LapError, formatAgo, formatSize } from "@lapstrake/base";
import {
  containerSizeBytes,
  listImages,
  portsColumn,
  shortId,
  type ContainerRecord,
  type ContainerStatus,
  type ContainerSummary,
  type Engine,
  type ShownPort,
} from "@lapstrake/engine";
import { readFlags, type FlagReader } from "../args/parse.ts";
import type { Command, Invocation } from "../args/types.ts";
import { engineFor } from "../open.ts";
import { out } from "../output/print.ts";
import { table } from "../output/table.ts";
import { formatRows } from "../output/template.ts";
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
  const found = select(engine.list(), read);
  const noTrunc = read.bool("no-trunc");
  const isOnNetworks = found.some(({ record }) => record.networks !== undefined);
  const ports = isOnNetworks && !read.bool("quiet") ? await engine.publishedPorts() : undefined;
  const plain = found.map((summary) => row(summary, noTrunc, ports?.get(summary.record.id) ?? []));
  const isSized = read.bool("size") || asksSize(read.text("format"));
  const rows = isSized && !read.bool("quiet") ? await withSizes(engine, found, plain) : plain;
  if (read.bool("quiet")) out(rows.map((fields) => `${fields["ID"]}\n`).join(""));
  else if (read.has("format")) out(formatRows(read.text("format")!, rows, "formatter.ContainerContext"));
  else if (read.bool("size")) out(table([...HEADER, "SIZE"], rows.map(sizeCells)));
  else out(table(HEADER, rows.map(tableCells)));
  return 0;
}

/** Sizes cost a walk over what each container wrote: only who asks for them pays. */
function asksSize(format: string | undefined): boolean {
  return format !== undefined && /json \.(?!\w)|\.Size/.test(format);
}

async function withSizes(
  engine: Engine,
  found: readonly ContainerSummary[],
  rows: readonly Record<string, string>[],
): Promise<Record<string, string>[]> {
  const images = new Map((await listImages(engine)).map(({ id, sizeBytes }) => [id, sizeBytes]));
  const sized: Record<string, string>[] = [];
  for (const [at, { record }] of found.entries()) {
    const own = await containerSizeBytes(engine, record);
    const below = record.image.id === undefined ? 0 : (images.get(record.image.id) ?? 0);
    sized.push({ ...rows[at], Size: `${formatSize(own)} (virtual ${formatSize(own + below)})` });
  }
  return sized;
}

function select(all: readonly ContainerSummary[], read: FlagReader): readonly ContainerSummary[] {
  const filters = read.list("filter").map(parseFilter);
  const asksState = filters.some(({ key }) => key === "status" || key === "exited");
  const last = read.bool("latest") ? 1 : (read.number("last") ?? -1);
  const anyState = read.bool("all") || last > 0 || asksState;
  const shown = all.filter(({ status }) => anyState || status.state === "running" || status.state === "paused");
  const matching = shown.filter((summary) => matchesAll(summary, filters));
  return last > 0 ? matching.slice(0, last) : matching;
}

interface Filter {
  readonly key: string;
  readonly value: string;
}

type Test = (summary: ContainerSummary, value: string) => boolean;

const FILTERS: Readonly<Record<string, Test>> = {
  id: ({ record }, value) => record.id.startsWith(value),
  name: ({ record }, value) => namePattern(value).test(`/${record.name}`) || namePattern(value).test(record.name),
  status: ({ status }, value) => status.state === value,
  exited: ({ status }, value) => status.state === "exited" && String(status.exitCode) === value,
  ancestor: ({ record }, value) => record.image.name === value || record.image.id?.slice(7).startsWith(value) === true,
  network: ({ record }, value) => Object.hasOwn(record.networks ?? {}, value) || record.request.network === value,
  label: ({ record }, value) => {
    const labels = { ...record.image.labels, ...record.request.labels };
    const [name = "", wanted] = value.split("=", 2);
    return Object.hasOwn(labels, name) && (wanted === undefined || labels[name] === wanted);
  },
};

function namePattern(text: string): RegExp {
  try {
    return new RegExp(text);
  } catch (cause) {
    throw new LapError("invalidArgument", "ERR_LAP_FILTER_INVALID", `invalid filter 'name=${text}'`, { cause });
  }
}

function parseFilter(text: string): Filter {
  const at = text.indexOf("=");
  if (at < 0) {
    throw new LapError(
      "invalidArgument",
      "ERR_LAP_FLAG_VALUE",
      `invalid argument "${text}" for "-f, --filter" flag: bad format of filter (expected name=value)`,
    );
  }
  const filter = { key: text.slice(0, at).toLowerCase(), value: text.slice(at + 1) };
  if (FILTERS[filter.key] !== undefined) return filter;
  throw new LapError("invalidArgument", "ERR_LAP_FILTER_INVALID", `Invalid filter '${filter.key}'`);
}

/** Same keys are alternatives, different keys must all hold. */
function matchesAll(summary: ContainerSummary, filters: readonly Filter[]): boolean {
  const keys = new Set(filters.map(({ key }) => key));
  return [...keys].every((key) => filters.some((filter) => filter.key === key && FILTERS[key]!(summary, filter.value)));
}

function row(
  { record, status }: ContainerSummary,
  noTrunc: boolean,
  ports: readonly ShownPort[],
): Record<string, string> {
  const labels = { ...record.image.labels, ...record.request.labels };
  const age = Date.now() - Date.parse(record.createdAt);
  return {
    Command: `"${commandText(record.process.args, noTrunc)}"`,
    CreatedAt: `${record.createdAt.slice(0, 10)} ${record.createdAt.slice(11, 19)} +0000 UTC`,
    ID: noTrunc ? record.id : shortId(record.id),
    Image: record.image.name,
    Labels: Object.entries(labels)
      .map(([name, value]) => `${name}=${value}`)
      .join(","),
    LocalVolumes: "0",
    Mounts: "",
    Names: record.name,
    Networks:
      record.networks === undefined ? (record.request.network ?? "none") : Object.keys(record.networks).join(","),
    Ports: isAlive(status) ? portsColumn(ports, exposed(record)) : "",
    RunningFor: `${formatAgo(age)} ago`,
    Size: "0B",
    State: status.state,
    Status: containerStatusText(status),
  };
}

function isAlive({ state }: ContainerStatus): boolean {
  return state === "running" || state === "paused";
}

/** Exposed ports show where others could reach them: on networks. */
function exposed({ networks, image, request }: ContainerRecord): readonly string[] {
  return networks === undefined ? [] : [...new Set([...(image.exposedPorts ?? []), ...(request.exposedPorts ?? [])])];
}

function tableCells(fields: Readonly<Record<string, string>>): string[] {
  return ["ID", "Image", "Command", "RunningFor", "Status", "Ports", "Names"].map((key) => fields[key] ?? "");
}

function sizeCells(fields: Readonly<Record<string, string>>): string[] {
  return [...tableCells(fields), fields["Size"] ?? ""];
}
