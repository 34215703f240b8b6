// `lap images`.
import { LapError, formatAgo, formatSize } from "@lapstrake/base";
import { findImage, imagesWithPlatforms, listImages, namePattern, type Engine, type ImageRow } from "@lapstrake/engine";
import { FILTER_FLAG, filterBool, hasLabel, matchesAll, parseFilters } from "../args/filters.ts";
import { momentMs } from "../args/moment.ts";
import { readFlags, type FlagReader } from "../args/parse.ts";
import type { Command, Invocation } from "../args/types.ts";
import { FORMAT_HELP } from "../args/format-help.ts";
import { engineFor } from "../open.ts";
import { out } from "../output/print.ts";
import { table } from "../output/table.ts";
import { formatRows } from "../output/template.ts";
import { quietOrFormat } from "../output/quiet.ts";
import { imageTreeText } from "./images-tree.ts";

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
    FILTER_FLAG,
    { long: "format", kind: "string", help: FORMAT_HELP },
    { long: "no-trunc", kind: "bool", help: "Don't truncate output" },
    { long: "quiet", short: "q", kind: "bool", help: "Only show image IDs" },
    { long: "tree", kind: "bool", help: "List multi-platform images as a tree (EXPERIMENTAL)" },
  ],
  run: images,
};

async function images({ flags, args, global }: Invocation): Promise<number> {
  const read = readFlags(flags);
  const filters = parseFilters(read.list("filter"), FILTERS);
  const engine = engineFor(global);
  const { store } = await engine.images();
  const listed = (await listImages(engine, args[0])).filter((row) => matchesAll({ row, store }, filters, FILTERS));
  if (read.bool("tree")) return await tree(engine, read, listed);
  const rows = listed.map((row) => fields(row, read.bool("no-trunc")));
  const shown = quietOrFormat(read);
  if (shown === "quiet") out(rows.map((row) => `${row["ID"]}\n`).join(""));
  else if (shown !== undefined) {
    const plain = imageTable(rows, read.bool("digests"));
    out(formatRows(shown, rows, "formatter.imageContext", plain, HEADERS));
  } else out(imageTable(rows, read.bool("digests")));
  return 0;
}

/** What docker does not show as a tree, with the flag as its message names it. */
const NOT_BESIDE_TREE = { quiet: "quiet", "no-trunc": "no-trunc", digests: "show-digest", format: "format" };

async function tree(engine: Engine, read: FlagReader, listed: readonly ImageRow[]): Promise<number> {
  const beside = Object.entries(NOT_BESIDE_TREE).find(
    ([flag]) => read.bool(flag) || (flag === "format" && (read.text(flag) ?? "") !== ""),
  );
  if (beside !== undefined) {
    const message = `--${beside[1]} is not yet supported with --tree`;
    throw new LapError("invalidArgument", "ERR_LAP_CONFLICTING_OPTIONS", message);
  }
  const shown = listed.filter((row) => read.bool("all") || row.tag !== undefined).map(({ id }) => id);
  const images = (await imagesWithPlatforms(engine)).filter(({ summary }) => shown.includes(summary.id));
  out(imageTreeText(images, process.stdout));
  return 0;
}

const HEADERS = { ID: "IMAGE ID" };

type Store = Awaited<ReturnType<Engine["images"]>>["store"];

interface FilteredRow {
  readonly row: ImageRow;
  readonly store: Store;
}

const FILTERS: Readonly<Record<string, (item: FilteredRow, value: string) => boolean>> = {
  before: ({ row, store }, value) => createdMs(row) < imageMs(store, value),
  dangling: ({ row }, value) => (row.tag === undefined) === filterBool("dangling", value),
  label: ({ row, store }, value) => hasLabel(store.resolve(row.id).config.config?.Labels ?? {}, value),
  reference: ({ row }, value) => {
    const pattern = namePattern(value);
    return (
      row.repository !== undefined && (pattern.test(row.repository) || pattern.test(`${row.repository}:${row.tag}`))
    );
  },
  since: ({ row, store }, value) => createdMs(row) > imageMs(store, value),
  until: ({ row }, value) => createdMs(row) < momentMs(value),
};

function createdMs({ created }: ImageRow): number {
  return created === undefined ? 0 : Date.parse(created);
}

function imageMs(store: Store, name: string): number {
  return Date.parse(findImage(store, name).config.created ?? "1970-01-01T00:00:00Z");
}

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
  const created = image.created === undefined ? undefined : Date.parse(image.created);
  return {
    Containers: "N/A",
    CreatedAt:
      created === undefined ? "N/A" : `${new Date(created).toISOString().slice(0, 19).replace("T", " ")} +0000 UTC`,
    CreatedSince: created === undefined ? "N/A" : `${formatAgo(Date.now() - created)} ago`,
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
