// `lap container prune`, `lap image prune`, `lap system prune` and `lap builder prune`.
import { formatSize } from "@lapstrake/base";
import {
  pruneContainers,
  pruneImages,
  pruneNetworks,
  pruneVolumes,
  type ContainerSummary,
  type Engine,
  type ImageRow,
  type VolumeRecord,
} from "@lapstrake/engine";
import { PRUNE_FILTER_FLAG, hasLabel, parseFilters, type Filter } from "../args/filters.ts";
import { momentMs } from "../args/moment.ts";
import { readFlags } from "../args/parse.ts";
import type { Command, Flag } from "../args/types.ts";
import { engineFor } from "../open.ts";
import { confirm } from "../output/confirm.ts";
import { out } from "../output/print.ts";

const FORCE: Flag = { long: "force", short: "f", kind: "bool", help: "Do not prompt for confirmation" };
const common = { usage: "[OPTIONS]", minArgs: 0, maxArgs: 0, interspersed: true, errorExitCode: 1 } as const;
const DIGITS = 4;

export const containerPruneCommand: Command = {
  ...common,
  name: "container prune",
  summary: "Remove all stopped containers",
  flags: [PRUNE_FILTER_FLAG, FORCE],
  async run({ flags, global }) {
    const read = readFlags(flags);
    const keep = pruneTest(read.list("filter"));
    if (!read.bool("force") && !(await confirm("This will remove all stopped containers."))) return 0;
    const { ids, bytes } = await pruneContainers(engineFor(global), (each) => keep(ofContainer(each)));
    out(`${listing("Deleted Containers", ids)}${total(bytes)}`);
    return 0;
  },
};

export const imagePruneCommand: Command = {
  ...common,
  name: "image prune",
  summary: "Remove unused images",
  flags: [
    { long: "all", short: "a", kind: "bool", help: "Remove all unused images, not just dangling ones" },
    PRUNE_FILTER_FLAG,
    FORCE,
  ],
  async run({ flags, global }) {
    const read = readFlags(flags);
    const all = read.bool("all");
    const filters = read.list("filter");
    pruneTest(filters);
    const what = all ? "images without at least one container associated to them" : "dangling images";
    if (!read.bool("force") && !(await confirm(`This will remove all ${what}.`))) return 0;
    const { lines, bytes } = await removeImages(engineFor(global), all, filters);
    out(`${listing("Deleted Images", lines)}${total(bytes)}`);
    return 0;
  },
};

export const systemPruneCommand: Command = {
  ...common,
  name: "system prune",
  summary: "Remove unused data",
  flags: [
    { long: "all", short: "a", kind: "bool", help: "Remove all unused images not just dangling ones" },
    PRUNE_FILTER_FLAG,
    FORCE,
    { long: "volumes", kind: "bool", help: "Prune anonymous volumes" },
  ],
  async run({ flags, global }) {
    const read = readFlags(flags);
    const filters = read.list("filter");
    const keep = pruneTest(filters);
    const [all, volumes] = [read.bool("all"), read.bool("volumes")];
    if (!read.bool("force") && !(await confirm(systemWarning(all, volumes, filters)))) return 0;
    const engine = engineFor(global);
    const containers = await pruneContainers(engine, (each) => keep(ofContainer(each)));
    const networks = pruneNetworks(
      engine,
      (network) => !keep({ labels: network.labels, createdMs: Date.parse(network.createdAt) }),
    );
    const gone = volumes ? unusedVolumes(engine, keep) : { names: [], bytes: 0 };
    const images = await removeImages(engine, all, filters);
    out(listing("Deleted Containers", containers.ids));
    out(listing("Deleted Networks", networks));
    out(listing("Deleted Volumes", gone.names));
    out(listing("Deleted Images", images.lines));
    out(total(containers.bytes + gone.bytes + images.bytes));
    return 0;
  },
};

export const builderPruneCommand: Command = {
  ...common,
  name: "builder prune",
  summary: "Remove build cache",
  flags: [
    { long: "all", short: "a", kind: "bool", help: "Remove all unused build cache, not just dangling ones" },
    FORCE,
  ],
  run() {
    out("Total:\t0B\n");
    return Promise.resolve(0);
  },
};

/** Docker's list of what goes. */
function systemWarning(all: boolean, volumes: boolean, filters: readonly string[]): string {
  const what = [
    "all stopped containers",
    "all networks not used by at least one container",
    ...(volumes ? ["all anonymous volumes not used by at least one container"] : []),
    all ? "all images without at least one container associated to them" : "all dangling images",
    all ? "all build cache" : "unused build cache",
  ];
  const shown = filters.length === 0 ? "" : `\n  Items to be pruned will be filtered with:\n${lines(filters)}`;
  return `This will remove:\n${lines(what)}${shown}`;
}

function lines(texts: readonly string[]): string {
  return texts.map((text) => `  - ${text}\n`).join("");
}

/** What filters look at. */
interface Prunable {
  readonly labels: Readonly<Record<string, string>>;
  readonly createdMs: number;
}

const KNOWN = { until: true, label: true, "label!": true };

/** True for what all filters take. Throws `ERR_LAP_FILTER_INVALID`. */
function pruneTest(texts: readonly string[]): (item: Prunable) => boolean {
  const filters = parseFilters(texts, KNOWN);
  return (item) => filters.every((filter) => holds(filter, item));
}

function holds({ key, value }: Filter, { labels, createdMs }: Prunable): boolean {
  if (key === "until") return createdMs < momentMs(value);
  return hasLabel(labels, value) === (key === "label");
}

function ofContainer({ record }: ContainerSummary): Prunable {
  return { labels: { ...record.image.labels, ...record.request.labels }, createdMs: Date.parse(record.createdAt) };
}

async function removeImages(
  engine: Engine,
  all: boolean,
  filters: readonly string[],
): Promise<{ readonly lines: string[]; readonly bytes: number }> {
  const { store } = await engine.images();
  const keep = pruneTest(filters);
  const isWanted = (row: ImageRow): boolean =>
    filters.length === 0 ||
    keep({
      labels: store.resolve(row.id).config.config?.Labels ?? {},
      createdMs: Date.parse(row.created ?? "1970-01-01"),
    });
  const { untagged, deleted, bytes } = await pruneImages(engine, all, isWanted);
  return { lines: [...untagged.map((name) => `untagged: ${name}`), ...deleted.map((id) => `deleted: ${id}`)], bytes };
}

/** Anonymous volumes that no container uses. */
function unusedVolumes(
  engine: Engine,
  takes: (item: Prunable) => boolean,
): { readonly names: readonly string[]; readonly bytes: number } {
  const keep = ({ labels, createdAt }: VolumeRecord): boolean =>
    !takes({ labels: labels ?? {}, createdMs: Date.parse(createdAt) });
  const gone = pruneVolumes(engine, { all: false, keep });
  return {
    names: gone.map(({ record }) => record.name),
    bytes: gone.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
  };
}

function total(bytes: number): string {
  return `Total reclaimed space: ${formatSize(bytes, DIGITS)}\n`;
}

function listing(title: string, entries: readonly string[]): string {
  return entries.length === 0 ? "" : `${title}:\n${entries.map((line) => `${line}\n`).join("")}\n`;
}
