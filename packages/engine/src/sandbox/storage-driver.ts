// Where a container's files come from: an overlay over the image's layers, or (`vfs`) a copy of them (ADR 65). Asked for by
// `--storage-driver` or LAP_STORAGE_DRIVER; else a store remembers by a file that overlayfs was not possible where it lies.
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { LapError } from "@lapstrake/base";
import type { StorePaths } from "../state/layout.ts";

/** Docker's names. */
export type StorageDriver = "overlay2" | "vfs";

const NAMES: Readonly<Record<string, StorageDriver>> = { overlay: "overlay2", overlay2: "overlay2", vfs: "vfs" };
/** In a store's folder: its containers are copies unless told otherwise. */
const MARK = "storage-driver";

/** The driver that was asked for; undefined leaves it to the store. Throws `ERR_LAP_STORAGE_DRIVER`. */
export function askedDriver(asked: string | undefined = process.env["LAP_STORAGE_DRIVER"]): StorageDriver | undefined {
  if (asked === undefined || asked === "") return undefined;
  if (Object.hasOwn(NAMES, asked)) return NAMES[asked];
  throw new LapError("invalidArgument", "ERR_LAP_STORAGE_DRIVER", `unknown storage driver "${asked}"`, {
    hint: "there are overlay2 (the default) and vfs",
  });
}

/** The driver of new containers. */
export function storeDriver(paths: StorePaths, asked: StorageDriver | undefined): StorageDriver {
  return asked ?? (existsSync(join(paths.root, MARK)) ? "vfs" : "overlay2");
}

/** Makes copies the rule of a store; true for the first to say so. */
export function rememberCopies(paths: StorePaths): boolean {
  const isNews = storeDriver(paths, undefined) !== "vfs";
  writeFileSync(join(paths.root, MARK), "vfs\n");
  return isNews;
}
