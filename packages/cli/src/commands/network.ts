// `lap network ls`, `inspect`, `rm` and `prune`.
import { LapError } from "@lapstrake/base";
import {
  inspectNetwork,
  listNetworks,
  pruneNetworks,
  removeNetwork,
  shortId,
  type NetworkRecord,
  type NetworkRow,
} from "@lapstrake/engine";
import { FILTER_FLAG, filterBool, hasLabel, matchesAll, parseFilters, PRUNE_FILTER_FLAG } from "../args/filters.ts";
import { momentMs } from "../args/moment.ts";
import { readFlags } from "../args/parse.ts";
import type { Command } from "../args/types.ts";
import { engineFor } from "../open.ts";
import { confirm } from "../output/confirm.ts";
import { err, out } from "../output/print.ts";
import { table } from "../output/table.ts";
import { formatRows } from "../output/template.ts";
import { removeEach } from "./each.ts";
import { inspectEach } from "./inspect-each.ts";

const common = { interspersed: true, errorExitCode: 1 } as const;

export const networkLsCommand: Command = {
  ...common,
  name: "network ls",
  usage: "[OPTIONS]",
  summary: "List networks",
  aliases: ["lap network ls", "lap network list"],
  minArgs: 0,
  maxArgs: 0,
  flags: [
    { ...FILTER_FLAG, help: 'Provide filter values (e.g. "driver=bridge")' },
    {
      long: "format",
      kind: "string",
      help: "Format output: a Go template of plain fields, `table TEMPLATE` or `json`",
    },
    { long: "no-trunc", kind: "bool", help: "Do not truncate the output" },
    { long: "quiet", short: "q", kind: "bool", help: "Only display network IDs" },
  ],
  async run({ flags, global }) {
    const read = readFlags(flags);
    const filters = parseFilters(read.list("filter"), FILTERS);
    const found = listNetworks(engineFor(global)).filter((row) => matchesAll(row, filters, FILTERS));
    const rows = found.map((row) => fields(row, read.bool("no-trunc")));
    const plain = table(
      ["NETWORK ID", "NAME", "DRIVER", "SCOPE"],
      rows.map((row) => [row["ID"]!, row["Name"]!, row["Driver"]!, row["Scope"]!]),
    );
    if (read.bool("quiet")) out(rows.map((row) => `${row["ID"]}\n`).join(""));
    else if (read.has("format"))
      out(formatRows(read.text("format")!, rows, "formatter.networkContext", plain, { ID: "NETWORK ID" }));
    else out(plain);
    return 0;
  },
};

function fields({ id, name, driver, createdAt, record }: NetworkRow, noTrunc: boolean): Record<string, string> {
  return {
    CreatedAt: `${createdAt.slice(0, 10)} ${createdAt.slice(11).replace("Z", "")} +0000 UTC`,
    Driver: driver,
    ID: noTrunc ? id : shortId(id),
    IPv4: String(record?.pools.some(({ subnet }) => !subnet.includes(":")) ?? false),
    IPv6: String(record?.ipv6 ?? false),
    Internal: String(record?.internal ?? false),
    Labels: Object.entries(record?.labels ?? {})
      .map(([key, value]) => `${key}=${value}`)
      .join(","),
    Name: name,
    Scope: "local",
  };
}

const PREDEFINED = ["bridge", "host", "none"];

const FILTERS: Readonly<Record<string, (row: NetworkRow, value: string) => boolean>> = {
  driver: ({ driver }, value) => driver === value,
  id: ({ id }, value) => id.startsWith(value),
  name: ({ name }, value) => name.includes(value),
  scope: (_row, value) => value === "local",
  type: ({ name }, value) => {
    if (value === "builtin" || value === "custom") return (value === "builtin") === PREDEFINED.includes(name);
    throw new LapError("invalidArgument", "ERR_LAP_FILTER", `invalid filter: 'type'='${value}'`);
  },
  dangling: ({ name, record }, value) => {
    const isUnused = !PREDEFINED.includes(name) && Object.keys(record?.endpoints ?? {}).length === 0;
    return isUnused === filterBool("dangling", value);
  },
  label: ({ record }, value) => hasLabel(record?.labels ?? {}, value),
};

export const networkInspectCommand: Command = {
  ...common,
  name: "network inspect",
  usage: "[OPTIONS] NETWORK [NETWORK...]",
  summary: "Display detailed information on one or more networks",
  minArgs: 1,
  maxArgs: Infinity,
  flags: [
    { long: "format", short: "f", kind: "string", help: "Format output: a Go template, or `json`" },
    { long: "verbose", short: "v", kind: "bool", help: "Verbose output for diagnostics" },
  ],
  async run({ flags, args, global }) {
    const engine = engineFor(global);
    return inspectEach(args, readFlags(flags).text("format"), (name) => inspectNetwork(engine, name));
  },
};

export const networkRmCommand: Command = {
  ...common,
  name: "network rm",
  usage: "NETWORK [NETWORK...]",
  summary: "Remove one or more networks",
  aliases: ["lap network rm", "lap network remove"],
  minArgs: 1,
  maxArgs: Infinity,
  flags: [{ long: "force", short: "f", kind: "bool", help: "Do not error if the network does not exist" }],
  async run({ flags, args, global }) {
    const force = readFlags(flags).bool("force");
    const engine = engineFor(global);
    const exitCode = await removeEach(args, force, async (target) => removeNetwork(engine, target));
    if (exitCode > 0) err("exit status 1\n");
    return exitCode;
  },
};

export const networkPruneCommand: Command = {
  ...common,
  name: "network prune",
  usage: "[OPTIONS]",
  summary: "Remove all unused networks",
  minArgs: 0,
  maxArgs: 0,
  flags: [
    { ...PRUNE_FILTER_FLAG, help: 'Provide filter values (e.g. "until=<timestamp>")' },
    { long: "force", short: "f", kind: "bool", help: "Do not prompt for confirmation" },
  ],
  async run({ flags, global }) {
    const read = readFlags(flags);
    const filters = parseFilters(read.list("filter"), PRUNE_FILTERS);
    const warning = "This will remove all custom networks not used by at least one container.";
    if (!read.bool("force") && !(await confirm(warning))) return 0;
    const names = pruneNetworks(engineFor(global), (record) => !matchesAll(record, filters, PRUNE_FILTERS));
    if (names.length > 0) out(`Deleted Networks:\n${names.map((name) => `${name}\n`).join("")}\n`);
    return 0;
  },
};

const PRUNE_FILTERS: Readonly<Record<string, (record: NetworkRecord, value: string) => boolean>> = {
  label: ({ labels }, value) => hasLabel(labels, value),
  "label!": ({ labels }, value) => !hasLabel(labels, value),
  until: ({ createdAt }, value) => Date.parse(createdAt) < momentMs(value),
};
