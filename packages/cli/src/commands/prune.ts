// `lap container prune` and `lap image prune`.
import { formatSize, isLapError } from "@lapstrake/base";
import { containerSizeBytes, listImages, removeImage, type Engine, type ImageRow } from "@lapstrake/engine";
import { readFlags } from "../args/parse.ts";
import type { Command } from "../args/types.ts";
import { engineFor } from "../open.ts";
import { confirm } from "../output/confirm.ts";
import { out } from "../output/print.ts";

const FORCE = { long: "force", short: "f", kind: "bool", help: "Do not prompt for confirmation" } as const;
const common = { usage: "[OPTIONS]", minArgs: 0, maxArgs: 0, interspersed: true, errorExitCode: 1 } as const;
const ENDED = new Set(["created", "exited", "dead"]);

export const containerPruneCommand: Command = {
  ...common,
  name: "container prune",
  summary: "Remove all stopped containers",
  flags: [FORCE],
  async run({ flags, global }) {
    if (!readFlags(flags).bool("force") && !(await confirm("This will remove all stopped containers."))) return 0;
    const engine = engineFor(global);
    const removed: string[] = [];
    let bytes = 0;
    for (const { record, status } of engine.list()) {
      if (!ENDED.has(status.state)) continue;
      const size = await containerSizeBytes(engine, record);
      if (!(await didRemove(engine.remove(record)))) continue;
      bytes += size;
      removed.push(record.id);
    }
    out(`${listing("Deleted Containers", removed)}Total reclaimed space: ${formatSize(bytes)}\n`);
    return 0;
  },
};

export const imagePruneCommand: Command = {
  ...common,
  name: "image prune",
  summary: "Remove unused images",
  flags: [{ long: "all", short: "a", kind: "bool", help: "Remove all unused images, not just dangling ones" }, FORCE],
  async run({ flags, global }) {
    const read = readFlags(flags);
    const all = read.bool("all");
    const what = all ? "images without at least one container associated to them" : "dangling images";
    if (!read.bool("force") && !(await confirm(`This will remove all ${what}.`))) return 0;
    const engine = engineFor(global);
    const lines: string[] = [];
    let bytes = 0;
    for (const row of unusedImages(engine, await listImages(engine), all)) {
      const { untagged, deleted } = await removeImage(engine, nameOf(row), { force: false });
      lines.push(...untagged.map((name) => `untagged: ${name}`), ...deleted.map((id) => `deleted: ${id}`));
      if (deleted.length > 0) bytes += row.sizeBytes;
    }
    out(`${listing("Deleted Images", lines)}Total reclaimed space: ${formatSize(bytes)}\n`);
    return 0;
  },
};

function unusedImages(engine: Engine, rows: readonly ImageRow[], all: boolean): ImageRow[] {
  const used = new Set(engine.list().map(({ record }) => record.image.id));
  return rows.filter((row) => !used.has(row.id) && (all || row.repository === undefined));
}

function nameOf({ id, repository, tag }: ImageRow): string {
  return repository === undefined || tag === undefined ? id : `${repository}:${tag}`;
}

/** False when it was started or removed meanwhile. */
async function didRemove(removal: Promise<void>): Promise<boolean> {
  try {
    await removal;
    return true;
  } catch (error) {
    if (isLapError(error, "conflict") || isLapError(error, "notFound")) return false;
    throw error;
  }
}

function listing(title: string, lines: readonly string[]): string {
  return lines.length === 0 ? "" : `${title}:\n${lines.map((line) => `${line}\n`).join("")}\n`;
}
