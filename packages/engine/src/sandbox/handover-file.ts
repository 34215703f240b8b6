// The file in which a Wasm container hands its changes over: one layer tar.
import { closeSync, fsyncSync, openSync, renameSync, writeSync } from "node:fs";
import { writeTar, type UnionFs } from "@lapstrake/layers";
import { handoverPath } from "./handover.ts";

/** Writes the changes as one layer; the file appears whole or not at all. */
export function writeHandover(fs: UnionFs, dir: string): void {
  const path = handoverPath(dir);
  const fd = openSync(`${path}.new`, "w", 0o600);
  try {
    for (const chunk of writeTar(fs.diffEntries())) {
      for (let done = 0; done < chunk.length;) done += writeSync(fd, chunk, done);
    }
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  renameSync(`${path}.new`, path);
}
