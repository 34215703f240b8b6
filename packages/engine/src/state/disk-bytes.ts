// What a folder takes on the disk: allocated blocks, a file with several names once. stat(2), st_blocks.
import { lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { errorCode } from "@lapstrake/base";

const BLOCK_BYTES = 512;
/** What goes away while we look is not there. */
const GONE = new Set(["ENOENT", "ENOTDIR"]);

/**
 * Bytes of everything beneath `path` with itself, without what is mounted there; 0 when it is not there. `seen` are inodes counted
 * already, `device` the only one that counts. */
export function diskBytes(path: string, seen: Set<string> = new Set(), device?: number): number {
  try {
    const stat = lstatSync(path);
    if (stat.dev !== (device ?? stat.dev)) return 0;
    const inode = `${stat.dev}:${stat.ino}`;
    if (seen.has(inode)) return 0;
    if (stat.nlink > 1 && !stat.isDirectory()) seen.add(inode);
    const own = stat.blocks * BLOCK_BYTES;
    if (!stat.isDirectory()) return own;
    return readdirSync(path).reduce((sum, name) => sum + diskBytes(join(path, name), seen, stat.dev), own);
  } catch (error) {
    if (GONE.has(errorCode(error) ?? "")) return 0;
    throw error;
  }
}
