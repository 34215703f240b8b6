// What containers wrote before they were forked: each upper became a read-only directory of frozen/, shared by the container and its
// forks, and goes with the last of them. See library/fork.ts for how they come about.
import { existsSync, mkdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { errorCode } from "@lapstrake/base";
import { lockFile } from "@lapstrake/core";
import type { StorePaths } from "./layout.ts";
import { orDamaged } from "./read-stored.ts";
import type { ContainerRecord } from "./record.ts";
import { randomHex } from "./random.ts";

/** Folder of all frozen uppers of a store. */
export function frozenRoot(paths: StorePaths): string {
  return join(paths.root, "frozen");
}

/** Path of one. */
export function frozenDir(paths: StorePaths, name: string): string {
  return join(frozenRoot(paths), name);
}

/** A container's, top first. One that is not there was named by a fork that did not get further: its files are still in the upper. */
export function frozenDirs(paths: StorePaths, record: ContainerRecord): string[] {
  return (record.frozen ?? []).map((name) => frozenDir(paths, name)).filter((path) => existsSync(path));
}

/** One change at a time to who uses what; held for moments only, never over an `await`. */
export function lockFrozen(paths: StorePaths): Disposable {
  mkdirSync(frozenRoot(paths), { recursive: true, mode: 0o700 });
  return lockFile(join(frozenRoot(paths), ".lock"));
}

/** Moves those of `names` that none of `others` needs into the trash; returns their names there. */
export function trashFrozen(
  paths: StorePaths,
  names: readonly string[],
  others: () => readonly ContainerRecord[],
): string[] {
  if (names.length === 0) return [];
  using _lock = lockFrozen(paths);
  const users = orDamaged(others);
  // What a container with a damaged record needs nobody knows.
  if (users === undefined) return [];
  const needed = new Set(users.flatMap(({ frozen }) => frozen ?? []));
  return names.filter((name) => !needed.has(name)).flatMap((name) => toTrash(paths, name));
}

function toTrash(paths: StorePaths, name: string): string[] {
  const trashed = randomHex(8);
  try {
    renameSync(frozenDir(paths, name), join(paths.trash, trashed));
    return [trashed];
  } catch (error) {
    if (errorCode(error) === "ENOENT") return [];
    throw error;
  }
}
