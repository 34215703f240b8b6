// What a name came to at the last run, beside the store: a start then reads one small file instead of index, manifest and config.
// An entry holds while the two directories of names and images have not changed: every tag, load and removal renames in them.
import { readFileSync, statSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { errorCode, type Digest, type ExecConfig } from "@lapstrake/base";
import { writeFileAtomic } from "../state/atomic.ts";
import type { StorePaths } from "../state/layout.ts";

/** What create needs of an image. */
export interface ResolvedSource {
  readonly imageId: Digest;
  readonly kind: "linux" | "wasm";
  /** It runs over the machine's own root only. */
  readonly onHost: boolean;
  /** Names of the extracted layers, top first. */
  readonly layers: readonly string[];
  readonly config: ExecConfig;
}

interface Entry {
  readonly version: 1;
  readonly stamp: string;
  readonly source: ResolvedSource;
}

/** A directory's time may stand still for this long on older kernels: what changed just now is not remembered. */
const SETTLED_MS = 1000;

/** State of the names and images. */
export interface StoreStamp {
  readonly text: string;
  /** The latest change, ms since the epoch. */
  readonly changedMs: number;
}

/** Take it before resolving. */
export function storeStamp(paths: StorePaths): StoreStamp {
  const dirs = ["refs", "images"].map((name) => dirStamp(join(paths.images, name)));
  return {
    text: dirs.map(({ text }) => text).join(" "),
    changedMs: Math.max(...dirs.map(({ changedMs }) => changedMs)),
  };
}

function dirStamp(path: string): StoreStamp {
  try {
    const { ino, mtimeNs, mtimeMs } = statSync(path, { bigint: true });
    return { text: `${ino}:${mtimeNs}`, changedMs: Number(mtimeMs) };
  } catch (error) {
    if (errorCode(error) === "ENOENT") return { text: "none", changedMs: 0 };
    throw error;
  }
}

/** The remembered source; undefined when there is none or the store changed since. */
export function recallSource(
  paths: StorePaths,
  name: string,
  platform: string | undefined,
): ResolvedSource | undefined {
  const entry = readEntry(entryPath(paths, name, platform));
  return entry?.version === 1 && entry.stamp === storeStamp(paths).text ? entry.source : undefined;
}

/** Remembers what a name came to while the store was at `stamp`. */
export function rememberSource(
  paths: StorePaths,
  name: string,
  platform: string | undefined,
  stamp: StoreStamp,
  source: ResolvedSource,
): void {
  const path = entryPath(paths, name, platform);
  if (path === undefined || Date.now() - stamp.changedMs < SETTLED_MS) return;
  mkdirSync(join(paths.root, "cache"), { recursive: true, mode: 0o700 });
  const entry: Entry = { version: 1, stamp: stamp.text, source };
  writeFileAtomic(path, JSON.stringify(entry));
}

/** Names that make no plain file name are not remembered. */
function entryPath(paths: StorePaths, name: string, platform: string | undefined): string | undefined {
  const file = encodeURIComponent(`${name} ${platform ?? ""}`);
  return file.length <= 200 ? join(paths.root, "cache", `image-${file}`) : undefined;
}

function readEntry(path: string | undefined): Entry | undefined {
  if (path === undefined) return undefined;
  try {
    return JSON.parse(readFileSync(path, "utf8")) as Entry;
  } catch (error) {
    if (errorCode(error) === "ENOENT" || error instanceof SyntaxError) return undefined;
    throw error;
  }
}
