// `lap volume prune`.
import { formatSize } from "@lapstrake/base";
import { pruneVolumes, type VolumeRecord } from "@lapstrake/engine";
import { PRUNE_FILTER_FLAG, filterBool, hasLabel, matchesAll, parseFilters } from "../args/filters.ts";
import { readFlags } from "../args/parse.ts";
import type { Command } from "../args/types.ts";
import { engineFor } from "../open.ts";
import { confirm } from "../output/confirm.ts";
import { out } from "../output/print.ts";

export const volumePruneCommand: Command = {
  name: "volume prune",
  usage: "[OPTIONS]",
  summary: "Remove unused local volumes",
  minArgs: 0,
  maxArgs: 0,
  interspersed: true,
  errorExitCode: 1,
  flags: [
    { long: "all", short: "a", kind: "bool", help: "Remove all unused volumes, not just anonymous ones" },
    { ...PRUNE_FILTER_FLAG, help: 'Provide filter values (e.g. "label=<label>")' },
    { long: "force", short: "f", kind: "bool", help: "Do not prompt for confirmation" },
  ],
  async run({ flags, global }) {
    const read = readFlags(flags);
    const filters = parseFilters(read.list("filter"), FILTERS);
    const all = read.bool("all") || filters.some(({ key, value }) => key === "all" && filterBool(key, value));
    const what = all ? "all local volumes" : "anonymous local volumes";
    if (!read.bool("force") && !(await confirm(`This will remove ${what} not used by at least one container.`)))
      return 0;
    const gone = pruneVolumes(engineFor(global), {
      all,
      keep: (record) => !matchesAll(record, filters, FILTERS),
    });
    const bytes = gone.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    if (gone.length > 0) out(`Deleted Volumes:\n${gone.map(({ record }) => `${record.name}\n`).join("")}\n`);
    out(`Total reclaimed space: ${formatSize(bytes)}\n`);
    return 0;
  },
};

const FILTERS: Readonly<Record<string, (record: VolumeRecord, value: string) => boolean>> = {
  all: () => true,
  label: ({ labels }, value) => hasLabel(labels ?? {}, value),
  "label!": ({ labels }, value) => !hasLabel(labels ?? {}, value),
};
