// The part of the node:fs shape that is made of Node's own classes: streams and watch.
import { EventEmitter } from "node:events";
import { Readable, Writable } from "node:stream";
import { fromByteString, toByteString } from "@lapstrake/base";
import { nodeFs, type NodeFs } from "../facade/node-fs.ts";
import { resolvePath } from "../fs/resolve-path.ts";
import type { Ino, InodeFs } from "../fs/inode-fs.ts";

/** What a read stream reads; bytes, `end` included, as in node:fs. */
export interface ReadStreamOptions {
  readonly start?: number;
  readonly end?: number;
  readonly highWaterMark?: number;
}

/** A watcher: "change" events with "rename" (a name came or went) or "change", and the name. */
export interface FsWatcher extends EventEmitter {
  close(): void;
}

/** {@link NodeFs} with streams and watch. */
export interface NodeFsWithStreams extends NodeFs {
  createReadStream(path: string, options?: ReadStreamOptions): Readable;
  createWriteStream(path: string, options?: { readonly flags?: string; readonly mode?: number }): Writable;
  watch(path: string, listener?: (event: "rename" | "change", name: string) => void): FsWatcher;
}

/** `fs` in the shape of node:fs, streams and watch included. */
export function nodeFsWithStreams(fs: InodeFs): NodeFsWithStreams {
  const calls = nodeFs(fs);
  return {
    ...calls,
    createReadStream: (path, options = {}) => Readable.from(readChunks(calls, path, options), { objectMode: false }),
    createWriteStream: (path, options = {}) => writeStream(calls, path, options.flags ?? "w", options.mode),
    watch: (path, listener) => watch(fs, path, listener),
  };
}

async function* readChunks(
  calls: NodeFs,
  path: string,
  options: ReadStreamOptions,
): AsyncGenerator<Buffer, void, undefined> {
  const { start = 0, end = Number.POSITIVE_INFINITY, highWaterMark = 65_536 } = options;
  const fd = calls.openSync(path, "r");
  try {
    for (let at = start; at <= end;) {
      const chunk = Buffer.alloc(Math.min(highWaterMark, end - at + 1));
      const count = calls.readSync(fd, chunk, 0, chunk.length, at);
      if (count === 0) return;
      yield await Promise.resolve(chunk.subarray(0, count));
      at += count;
    }
  } finally {
    calls.closeSync(fd);
  }
}

function writeStream(calls: NodeFs, path: string, flags: string, mode: number | undefined): Writable {
  let fd = -1;
  return new Writable({
    construct(done) {
      attempt(done, () => {
        fd = calls.openSync(path, flags, mode);
      });
    },
    write(chunk: Uint8Array, _encoding, done) {
      attempt(done, () => {
        for (let at = 0; at < chunk.length;) at += calls.writeSync(fd, chunk, at);
      });
    },
    destroy(error, done) {
      attempt(
        (failure) => done(error ?? failure ?? null),
        () => {
          if (fd >= 0) calls.closeSync(fd);
          fd = -1;
        },
      );
    },
  });
}

function attempt(done: (error?: Error | null) => void, run: () => void): void {
  try {
    run();
  } catch (error) {
    done(error as Error);
    return;
  }
  done();
}

function watch(
  fs: InodeFs,
  path: string,
  listener: ((event: "rename" | "change", name: string) => void) | undefined,
): FsWatcher {
  const watched = inodeOf(fs, path);
  const emitter = new EventEmitter() as FsWatcher;
  if (listener !== undefined) emitter.on("change", listener);
  const stop = fs.watch(({ kind, dir, ino, name }) => {
    if (dir !== watched && ino !== watched) return;
    const event = kind === "modify" || kind === "attrib" ? "change" : "rename";
    emitter.emit("change", event, fromByteString(name));
  });
  emitter.close = () => {
    stop();
    emitter.emit("close");
  };
  return emitter;
}

function inodeOf(fs: InodeFs, path: string): Ino {
  const found = resolvePath(fs, fs.root, toByteString(path));
  // The facade throws Node's ENOENT for the same path.
  if (typeof found === "number" || found.ino === 0)
    throw Object.assign(new Error(`ENOENT: no such file or directory, watch '${path}'`), {
      code: "ENOENT",
      errno: -2,
      syscall: "watch",
      path,
    });
  return found.ino;
}
