// Small files of the store through DirFs: read whole, write whole-or-absent (tmp, fsync, rename, fsync of the directory).
import { ERRNO, LapError, errorCode, systemError, type ByteString, type DirFs } from "@lapstrake/base";

/** 16 hex digits nobody else has. */
export function randomName(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(8));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Bytes of a file; undefined when it does not exist. Throws `ERR_LAP_LIMIT` above `maxBytes`. */
export function readFile(dir: DirFs, path: ByteString, maxBytes: number): Uint8Array | undefined {
  const stat = dir.stat(path);
  if (stat === undefined) return undefined;
  if (stat.type !== "file")
    throw new LapError("invalidArgument", "ERR_LAP_NOT_A_FILE", `"${path}" is not a regular file`);
  if (stat.size > maxBytes) {
    throw new LapError("resourceExhausted", "ERR_LAP_LIMIT", `"${path}" has ${stat.size} bytes, more than ${maxBytes}`);
  }
  using file = dir.open(path, { read: true });
  const bytes = new Uint8Array(stat.size);
  let done = 0;
  for (let got = -1; got !== 0 && done < bytes.length; done += got)
    got = named(path, () => file.read(bytes, done, bytes.length - done, done));
  return bytes.subarray(0, done);
}

/** True of a file that says nothing, or that the disk does not give: others beside it may be well. */
export function isImageDamage(error: unknown): error is Error {
  return error instanceof LapError || errorCode(error) === "EIO";
}

/** What a disk that fails says does not name the file. */
function named<T>(path: ByteString, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw errorCode(error) === "EIO" ? systemError(ERRNO.EIO, "read", path) : error;
  }
}

/** Replaces a file at once: readers see the old or the new bytes. `dir` must hold the file directly. */
export function writeAtomic(dir: DirFs, name: ByteString, bytes: Uint8Array): void {
  const temporary = `.tmp-${randomName()}`;
  const file = dir.open(temporary, { write: true, create: true, exclusive: true, mode: 0o600 });
  try {
    file.write(bytes, 0, bytes.length, 0);
    file.fsync();
  } catch (error) {
    dir.unlink(temporary);
    throw error;
  } finally {
    file.close();
  }
  dir.rename(temporary, name);
  dir.fsync();
}

/** Makes a directory unless it is there. */
export function ensureDir(dir: DirFs, path: ByteString, mode = 0o700): void {
  if (dir.stat(path) !== undefined) return;
  try {
    dir.mkdir(path, mode);
  } catch (error) {
    if (dir.stat(path)?.type !== "dir") throw error;
  }
}

/** Removes a name; false when it was gone already. */
export function removeFile(dir: DirFs, path: ByteString): boolean {
  if (dir.stat(path) === undefined) return false;
  try {
    dir.unlink(path);
    return true;
  } catch (error) {
    if (dir.stat(path) === undefined) return false;
    throw error;
  }
}

/** The bytes of a file as chunks. */
export async function* streamFile(
  dir: DirFs,
  path: ByteString,
  chunkBytes: number = 256 * 1024,
): AsyncGenerator<Uint8Array, void, undefined> {
  using file = dir.open(path, { read: true });
  for (let position = 0; ;) {
    const chunk = new Uint8Array(chunkBytes);
    const count = named(path, () => file.read(chunk, 0, chunkBytes, position));
    if (count === 0) return;
    position += count;
    yield chunk.subarray(0, count);
  }
}
