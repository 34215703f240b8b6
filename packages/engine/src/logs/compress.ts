// Compressing the full files of a log: `path.1` becomes `path.1.gz`. The supervisor rotates meanwhile, under the lock of the file that it
// writes (native/src/log_shift.c), and so the name is looked up and replaced under that lock. Killed at any point it begins again.
import { createReadStream, createWriteStream, existsSync, renameSync, rmSync, statSync } from "node:fs";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { lockFile } from "@lapstrake/core";
import { errorCode } from "@lapstrake/base";

/** Full files that are not compressed yet, newest first. */
export function fullFiles(path: string): string[] {
  const found: string[] = [];
  for (let n = 1, misses = 0; misses < 2; n++) {
    const name = `${path}.${n}`;
    if (existsSync(name)) found.push(name);
    else if (!existsSync(`${name}.gz`)) misses++;
  }
  return found;
}

/** Compresses every full file; one of a container that goes meanwhile is left. */
export async function compressLog(path: string): Promise<void> {
  const copy = `${path}-compressing`;
  try {
    for (let [file] = fullFiles(path).toReversed(); file !== undefined; [file] = fullFiles(path).toReversed()) {
      const ino = inode(file);
      if (ino === undefined) continue;
      await pipeline(createReadStream(file), createGzip(), createWriteStream(copy, { mode: 0o640 }));
      replace(path, ino, copy);
    }
  } catch (error) {
    if (errorCode(error) !== "ENOENT") throw error;
  } finally {
    rmSync(copy, { force: true });
  }
}

/** Puts the copy where the file is by now; nowhere when it was the oldest and is gone. */
function replace(path: string, ino: number, copy: string): void {
  using _lock = lockLive(path);
  const name = fullFiles(path).find((file) => inode(file) === ino);
  if (name === undefined) return;
  renameSync(copy, `${name}.gz`);
  rmSync(name);
}

/** The lock of the file that is being written: it may be another by the time the lock is there. */
function lockLive(path: string): Disposable {
  for (;;) {
    const before = inode(path);
    const lock = lockFile(path);
    if (before !== undefined && before === inode(path)) return lock;
    lock[Symbol.dispose]();
  }
}

function inode(path: string): number | undefined {
  try {
    return statSync(path).ino;
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    throw error;
  }
}
