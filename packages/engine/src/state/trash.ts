// The trash of a store: things on their way in or out. What a killed process left there is swept by whoever lists containers.
import { lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { openDirFs, removeWhole, unmountBeneath } from "@lapstrake/core";
import { errorCode, toByteString } from "@lapstrake/base";
import type { StorePaths } from "./layout.ts";
import { removeFlat } from "./remove-tree.ts";

/** Nothing is made or deleted for this long: older entries belong to dead processes. */
const MAX_AGE_MS = 10 * 60 * 1000;

/** Deletes what nobody works on any more; what cannot be deleted is told to `onFailure` and stays for the next time. */
export function sweepTrash(
  paths: StorePaths,
  maxAgeMs: number = MAX_AGE_MS,
  onFailure: (name: string, error: unknown) => void = () => undefined,
): void {
  for (const name of readdirSync(paths.trash)) {
    if (ageMs(join(paths.trash, name)) <= maxAgeMs) continue;
    try {
      removeFromTrash(paths, name);
    } catch (error) {
      onFailure(name, error);
    }
  }
}

/**
 * Deletes one thing of the trash: by path, which is quicker, unless it is nested deeper than a path can
 * name, or shut even for its owner (overlayfs' work directory, seen without root). */
export function removeFromTrash(paths: StorePaths, name: string): void {
  try {
    removeWhole(join(paths.trash, name));
    return;
  } catch (error) {
    const code = errorCode(error);
    // Somebody mounted it between its last unmounting and its way here.
    if (code === "EBUSY") unmountBeneath(join(paths.trash, name));
    else if (code !== "ENAMETOOLONG" && code !== "EACCES") throw error;
  }
  using trash = openDirFs(paths.trash);
  removeFlat(trash, toByteString(name));
}

/** Since the entry was renamed or made; 0 when it went meanwhile. */
function ageMs(path: string): number {
  try {
    return Date.now() - lstatSync(path).ctimeMs;
  } catch (error) {
    if (errorCode(error) === "ENOENT") return 0;
    throw error;
  }
}
