// Where a Wasm container keeps its changes: one layer tar in a directory that only its payload may write.
import { join } from "node:path";

/** Where a payload finds its container's directory and the store: the same in every sandbox. */
export const PLACES = { container: "/container", store: "/store" } as const;

/** A bare module's copy in its container's directory. */
export const MODULE_FILE = "module.wasm";

/** The one directory a payload can write. */
export function handoverDir(dir: string): string {
  return join(dir, "handover");
}

/** The layer of the container's changes; absent before the first end. */
export function handoverPath(dir: string): string {
  return join(handoverDir(dir), "changes.tar");
}

/** Where volume number `index` of a Wasm container is in its payload's sandbox. */
export function volumePlace(index: number): string {
  return `/volumes/${index}`;
}

/** Translated components of a store, by content. */
export function translationsDir(root: string): string {
  return join(root, "cache", "wasm", "components");
}

/** Where a payload takes orders for further programs. */
export function execSocket(dir: string): string {
  return join(handoverDir(dir), "exec.sock");
}
