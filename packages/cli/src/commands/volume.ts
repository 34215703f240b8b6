// `lap volume create`, `ls`, `inspect` and `rm`; prune is in volume-prune.ts.
import { LapError, isLapError } from "@lapstrake/base";
import { createVolume, inspectVolume, listVolumes, removeVolume, type VolumeRow } from "@lapstrake/engine";
import { FILTER_FLAG, filterBool, hasLabel, matchesAll, parseFilters } from "../args/filters.ts";
import { checkLabel } from "../args/checks.ts";
import { readFlags } from "../args/parse.ts";
import type { Command } from "../args/types.ts";
import { engineFor } from "../open.ts";
import { out } from "../output/print.ts";
import { table } from "../output/table.ts";
import { formatRows } from "../output/template.ts";
import { forEachTarget } from "./each.ts";
import { inspectEach } from "./inspect-each.ts";

const common = { interspersed: true, errorExitCode: 1 } as const;

export const volumeCreateCommand: Command = {
  ...common,
  name: "volume create",
  usage: "[OPTIONS] [VOLUME]",
  summary: "Create a volume",
  minArgs: 0,
  maxArgs: 1,
  flags: [
    { long: "driver", short: "d", kind: "string", help: 'Specify volume driver name (default "local")' },
    { long: "label", kind: "list", help: "Set metadata for a volume", check: checkLabel },
    { long: "name", kind: "string", help: "Specify volume name", hidden: true },
    { long: "opt", short: "o", kind: "list", valueName: "map", help: "Set driver specific options (default map[])" },
  ],
  async run({ flags, args, global }) {
    const read = readFlags(flags);
    if (read.has("name") && args.length > 0) {
      const text = "conflicting options: either specify --name or provide positional arg, not both";
      throw new LapError("invalidArgument", "ERR_LAP_CONFLICTING_OPTIONS", text);
    }
    const name = read.text("name") ?? args[0];
    const record = createVolume(engineFor(global), {
      ...(name === undefined ? {} : { name }),
      ...(read.has("driver") ? { driver: read.text("driver")! } : {}),
      ...(read.has("label") ? { labels: pairs(read.list("label")) } : {}),
      ...(read.has("opt") ? { options: pairs(read.list("opt")) } : {}),
    });
    out(`${record.name}\n`);
    return 0;
  },
};

function pairs(lines: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    lines.map((line) => {
      const at = line.indexOf("=");
      return at < 0 ? [line, ""] : [line.slice(0, at), line.slice(at + 1)];
    }),
  );
}

export const volumeLsCommand: Command = {
  ...common,
  name: "volume ls",
  usage: "[OPTIONS]",
  summary: "List volumes",
  aliases: ["lap volume ls", "lap volume list"],
  minArgs: 0,
  maxArgs: 0,
  flags: [
    { ...FILTER_FLAG, help: 'Provide filter values (e.g. "dangling=true")' },
    {
      long: "format",
      kind: "string",
      help: "Format output: a Go template of plain fields, `table TEMPLATE` or `json`",
    },
    { long: "quiet", short: "q", kind: "bool", help: "Only display volume names" },
  ],
  async run({ flags, global }) {
    const read = readFlags(flags);
    const filters = parseFilters(read.list("filter"), FILTERS);
    const rows = listVolumes(engineFor(global))
      .filter((row) => matchesAll(row, filters, FILTERS))
      .map(fields);
    const plain = table(
      ["DRIVER", "VOLUME NAME"],
      rows.map((row) => [row["Driver"]!, row["Name"]!]),
    );
    if (read.bool("quiet")) out(rows.map((row) => `${row["Name"]}\n`).join(""));
    else if (read.has("format"))
      out(formatRows(read.text("format")!, rows, "formatter.volumeContext", plain, { Name: "VOLUME NAME" }));
    else out(plain);
    return 0;
  },
};

function fields({ record, mountpoint }: VolumeRow): Record<string, string> {
  return {
    Availability: "N/A",
    Driver: "local",
    Group: "N/A",
    Labels: Object.entries(record.labels ?? {})
      .map(([key, value]) => `${key}=${value}`)
      .join(","),
    Links: "N/A",
    Mountpoint: mountpoint,
    Name: record.name,
    Scope: "local",
    Size: "N/A",
    Status: "N/A",
  };
}

const FILTERS: Readonly<Record<string, (row: VolumeRow, value: string) => boolean>> = {
  dangling: ({ users }, value) => (users === 0) === filterBool("dangling", value),
  driver: (_row, value) => value === "local",
  label: ({ record }, value) => hasLabel(record.labels ?? {}, value),
  name: ({ record }, value) => record.name.includes(value),
};

export const volumeInspectCommand: Command = {
  ...common,
  name: "volume inspect",
  usage: "[OPTIONS] VOLUME [VOLUME...]",
  summary: "Display detailed information on one or more volumes",
  minArgs: 1,
  maxArgs: Infinity,
  flags: [{ long: "format", short: "f", kind: "string", help: "Format output: a Go template, or `json`" }],
  async run({ flags, args, global }) {
    const engine = engineFor(global);
    return inspectEach(args, readFlags(flags).text("format"), (name) => inspectVolume(engine, name));
  },
};

export const volumeRmCommand: Command = {
  ...common,
  name: "volume rm",
  usage: "[OPTIONS] VOLUME [VOLUME...]",
  summary: "Remove one or more volumes. You cannot remove a volume that is in use by a container.",
  aliases: ["lap volume rm", "lap volume remove"],
  minArgs: 1,
  maxArgs: Infinity,
  flags: [{ long: "force", short: "f", kind: "bool", help: "Force the removal of one or more volumes" }],
  async run({ flags, args, global }) {
    const force = readFlags(flags).bool("force");
    const engine = engineFor(global);
    const { exitCode } = await forEachTarget(args, async (target) => {
      try {
        removeVolume(engine, target);
      } catch (error) {
        if (!force || !isLapError(error, "notFound")) throw error;
      }
    });
    return exitCode;
  },
};
