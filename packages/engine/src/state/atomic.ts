// Whole-or-absent files: write to a temporary name, fsync, rename over, fsync the directory (rename(2), fsync(2)).
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";
import { randomHex } from "./random.ts";

/** Replaces `path` by `text`; after a crash the file holds the old or the new text. `durable` adds the fsyncs. */
export function writeFileAtomic(path: string, text: string, options: { readonly durable?: boolean } = {}): void {
  const temporary = join(dirname(path), `.tmp-${randomHex(6)}`);
  const fd = openSync(temporary, "wx", 0o600);
  try {
    writeAll(fd, Buffer.from(text));
    if (options.durable === true) fsyncSync(fd);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  } finally {
    closeSync(fd);
  }
  renameSync(temporary, path);
  if (options.durable === true) fsyncDir(dirname(path));
}

function writeAll(fd: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length;) done += writeSync(fd, bytes, done);
}

/** fsync of a directory, which makes its names durable. */
function fsyncDir(path: string): void {
  const fd = openSync(path, "r");
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
