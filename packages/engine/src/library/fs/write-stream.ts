// A file of a box as a Writable: each piece is a call of its own, at its own position, so that a slow writer holds nothing open.
import { Writable } from "node:stream";
import type { NodeFs } from "@lapstrake/layers";
import type { OpenFiles } from "./box-fs.ts";

/** Opens `path` by `flag` (default "w") at once; errors come as the stream's. */
export function writeStream(
  open: OpenFiles,
  path: string,
  { mode, flag = "w" }: { readonly mode?: number; readonly flag?: string },
): Writable {
  // Exclusive or truncating only the first time.
  const next = flag.startsWith("a") ? "a" : "r+";
  let at = 0;
  return new Writable({
    construct: (done) =>
      void settle(
        open((fs) => fs.closeSync(fs.openSync(path, flag, mode))),
        done,
      ),
    write: (chunk: Uint8Array, _encoding, done) => {
      const put = (fs: NodeFs): void => void (at += writeAt(fs, path, next, chunk, at));
      void settle(open(put), done);
    },
  });
}

/** Tells a stream's callback how `work` ended. */
export async function settle(work: Promise<unknown>, done: (error?: Error | null) => void): Promise<void> {
  let failure: Error | null = null;
  try {
    await work;
  } catch (error) {
    failure = error as Error;
  }
  done(failure);
}

function writeAt(fs: NodeFs, path: string, flag: string, bytes: Uint8Array, at: number): number {
  const fd = fs.openSync(path, flag);
  try {
    let done = 0;
    while (done < bytes.length) {
      const position = flag === "a" ? null : at + done;
      done += fs.writeSync(fd, bytes, done, bytes.length - done, position);
    }
    return done;
  } finally {
    fs.closeSync(fd);
  }
}
