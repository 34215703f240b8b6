// Where everything lives beneath one store root, and the version of that arrangement.
//   layout.json          version of this arrangement
//   images/              OCI content store and references     (room: layers)
//   layers/              one extracted directory per chain id  (room: layers)
//   containers/<id>/     one directory per container           (this room; core's supervisor writes status, log and socket in it)
//   names/<name>         which container holds a name
//   trash/               what is being deleted
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { LapError, errorCode } from "@lapstrake/base";
import { hasManyIds, isRootless } from "../sandbox/rootless.ts";
import { writeFileAtomic } from "./atomic.ts";
import { randomHex } from "./random.ts";

const VERSION = 1;
/** Marks the store of a user whose files have ids of a range: only inside the user namespace they are what they are. */
const MAPPED = "mapped";

/** Absolute paths of a store. */
export interface StorePaths {
  readonly root: string;
  readonly images: string;
  readonly layers: string;
  readonly containers: string;
  readonly names: string;
  readonly trash: string;
  /** The file whose lock guards names/ and removal; always taken before a container's own lock. */
  readonly lock: string;
}

/** The default store of this user: `$LAP_ROOT`, /var/lib/lapstrake for root, else `$XDG_DATA_HOME/lapstrake`. */
export function defaultRoot(env: Readonly<Record<string, string | undefined>> = process.env): string {
  if (env["LAP_ROOT"] !== undefined && env["LAP_ROOT"] !== "") return resolve(env["LAP_ROOT"]);
  if (!isRootless()) return "/var/lib/lapstrake";
  return join(env["XDG_DATA_HOME"] ?? join(env["HOME"] ?? "/tmp", ".local/share"), "lapstrake");
}

export function storePaths(root: string): StorePaths {
  const at = (name: string): string => join(root, name);
  return {
    root,
    images: at("images"),
    layers: at("layers"),
    containers: at("containers"),
    names: at("names"),
    trash: at("trash"),
    lock: at("lock"),
  };
}

/** Opens or creates a store. Throws `ERR_LAP_STORE_VERSION`, `ERR_LAP_STORE_DAMAGED`, `ERR_LAP_STORE_UNREADABLE`. */
export function openLayout(root: string): StorePaths {
  const paths = storePaths(resolve(root));
  const found = readVersion(paths.root);
  if (found === VERSION) return paths;
  if (found !== undefined) {
    throw new LapError("failedPrecondition", "ERR_LAP_STORE_VERSION", `the store at "${root}" has version ${found}`, {
      hint: `this lapstrake reads version ${VERSION}; name another store with --root`,
    });
  }
  makeDirs(paths.root);
  for (const dir of [paths.images, paths.layers, paths.containers, paths.names, paths.trash]) {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
  }
  // Made before the layout: a store with files of mapped ids is told by it.
  if (isRootless() && hasManyIds()) writeFileSync(join(paths.root, MAPPED), "");
  writeFileAtomic(join(paths.root, "layout.json"), `${JSON.stringify({ version: VERSION })}\n`, { durable: true });
  return paths;
}

/** mkdir -p. Node's own tries for ever where a parent exists and takes no directories, as /proc does. */
function makeDirs(path: string): void {
  if (existsSync(path)) return;
  makeDirs(dirname(path));
  try {
    mkdirSync(path, { mode: 0o710 });
  } catch (error) {
    if (errorCode(error) !== "EEXIST") throw error;
  }
}

/** Throws `ERR_LAP_ROOTLESS_STORE` where this process has not the ids that the store's files have. */
export function requireStoreIds(root: string): void {
  if (!isRootless() || existsSync(join(root, MAPPED)) === hasManyIds()) return;
  const [has, needs] = hasManyIds() ? ["one id", "no user namespace"] : ["a range of ids", "its user namespace"];
  throw new LapError(
    "failedPrecondition",
    "ERR_LAP_ROOTLESS_STORE",
    `the store at "${root}" has ${has} and needs ${needs}`,
    {
      hint: "use it through the command lap, or name another store",
    },
  );
}

/** Undefined for a folder that is no store yet. */
function readVersion(root: string): number | undefined {
  const path = join(root, "layout.json");
  const text = readLayout(root, path);
  const version = text === undefined ? undefined : versionIn(text);
  if (version !== null) return version;
  throw new LapError("dataLoss", "ERR_LAP_STORE_DAMAGED", `damaged layout of a store "${path}"`, {
    hint: `if that folder is a store, write {"version":${VERSION}} into the file; else name another one with --root`,
  });
}

function readLayout(root: string, path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const code = errorCode(error);
    if (code === "ENOENT") return undefined;
    const why = code === "EACCES" ? "permission denied" : (code ?? String(error));
    throw new LapError("unavailable", "ERR_LAP_STORE_UNREADABLE", `cannot read the store at "${root}": ${why}`, {
      cause: error,
      hint: "run as the user who owns the store, or name another one with --root",
    });
  }
}

/** Null when the text makes no sense. */
function versionIn(text: string): number | null {
  try {
    const version = (JSON.parse(text) as { version?: unknown } | null)?.version;
    return typeof version === "number" ? version : null;
  } catch {
    return null; // not JSON
  }
}

/** Moves a directory into the trash, so that it disappears from its place in one step; returns its new path. */
export function moveToTrash(paths: StorePaths, path: string): string {
  const target = join(paths.trash, randomHex(8));
  renameSync(path, target);
  return target;
}
