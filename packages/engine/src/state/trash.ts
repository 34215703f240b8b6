// The trash of a store: things on their way in or out. What a killed process left there is swept by whoever lists containers.
import { lstatSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { errorCode } from "@lapstrake/base";
import type { StorePaths } from "./layout.ts";

/** Nothing is made or deleted for this long: older entries belong to dead processes. */
const MAX_AGE_MS = 10 * 60 * 1000;

/** Deletes what nobody works on any more. */
export function sweepTrash(paths: StorePaths, maxAgeMs: number = MAX_AGE_MS): void {
  for (const name of readdirSync(paths.trash)) {
    const path = join(paths.trash, name);
    if (ageMs(path) > maxAgeMs) rmSync(path, { recursive: true, force: true });
  }
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
