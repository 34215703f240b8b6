// Frozen uppers that no container needs: a process was killed between a removal and what follows it.
import { readdirSync, statSync } from "node:fs";
import { errorCode } from "@lapstrake/base";
import { listContainers } from "../state/containers.ts";
import { frozenDir, frozenRoot, trashFrozen } from "../state/frozen.ts";
import type { StorePaths } from "../state/layout.ts";
import { removeFromTrash } from "../state/trash.ts";

/** Younger ones may belong to a fork that is being made. */
const MIN_AGE_MS = 60_000;

/** Removes them. */
export function sweepFrozen(paths: StorePaths): void {
  const old = frozenNames(paths).filter((name) => ageMs(frozenDir(paths, name)) > MIN_AGE_MS);
  for (const name of trashFrozen(paths, old, () => listContainers(paths))) removeFromTrash(paths, name);
}

function frozenNames(paths: StorePaths): string[] {
  try {
    return readdirSync(frozenRoot(paths)).filter((name) => /^[a-f0-9]{64}$/.test(name));
  } catch (error) {
    if (errorCode(error) === "ENOENT") return [];
    throw error;
  }
}

/** Since it was moved there; 0 when it went meanwhile. */
function ageMs(path: string): number {
  try {
    return Date.now() - statSync(path).ctimeMs;
  } catch (error) {
    if (errorCode(error) === "ENOENT") return 0;
    throw error;
  }
}
