// What a folder of a store takes on the disk: allocated blocks, a file with several names once. stat(2), st_blocks.
import { lstatSync } from "node:fs";
import { openDirFs } from "@lapstrake/core";
import { sumTree } from "./sum-tree.ts";

const BLOCK_BYTES = 512;

/**
 * Bytes of everything beneath `path` with itself, without what is mounted there; 0 when it is not there. `seen` are inodes counted
 * already. */
export function diskBytes(path: string, seen: Set<string> = new Set()): number {
  const own = lstatSync(path, { throwIfNoEntry: false });
  if (own === undefined) return 0;
  const bytes = own.blocks * BLOCK_BYTES;
  if (!own.isDirectory()) return bytes;
  using dir = openDirFs(path, { live: true });
  return bytes + sumTree(dir, ({ blocks }) => blocks * BLOCK_BYTES, seen);
}
