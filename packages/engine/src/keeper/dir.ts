// Where the keeper of a store is.
import { join } from "node:path";

/** Folder of the keeper: its lock, socket and log. */
export function keeperDir(root: string): string {
  return join(root, "keeper");
}
