// Open objects (p1/descriptors.ts) outside a guest: made, shared and read by the host's own programs, such as the shell.
import { ERRNO, fsError } from "@lapstrake/base";
import { OPEN, type Ino, type InodeFs } from "@lapstrake/layers";
import { EMPTY_INPUT, NULL_OUTPUT } from "../io/buffers.ts";
import type { GuestInput, GuestOutput } from "../io/ports.ts";
import { FDFLAG } from "../p1/abi.ts";
import type { OpenFile, OpenObject, OpenStream } from "../p1/descriptors.ts";
import { MemoryPipe } from "./memory-pipe.ts";

/** A stream object with one reference. */
export function streamObject(input: GuestInput | undefined, output: GuestOutput | undefined): OpenStream {
  return { kind: "stream", input, output, flags: 0, refs: 1 };
}

/** Both ends of a new pipe, one reference each. */
export function pipeObjects(): { reader: OpenStream; writer: OpenStream } {
  const pipe = new MemoryPipe();
  return { reader: streamObject(pipe.input, undefined), writer: streamObject(undefined, pipe.output) };
}

/** An open file with one reference; `append` writes at the end whatever the position. */
export function fileObject(fs: InodeFs, ino: Ino, openFlags: number): OpenFile {
  const append = (openFlags & OPEN.append) !== 0;
  const handle = fs.open(ino, openFlags & ~OPEN.append);
  return { kind: "file", ino, handle, position: 0, flags: append ? FDFLAG.append : 0, refs: 1 };
}

/** One reference more; give it back by p1's `release`. */
export function retain<T extends OpenObject>(object: T): T {
  object.refs += 1;
  return object;
}

/** Bytes read, 0 at the end; waits for the first where the stream can. */
export function readObject(fs: InodeFs, object: OpenObject, into: Uint8Array): number {
  if (object.kind === "dir") throw fsError(ERRNO.EISDIR);
  if (object.kind === "file") {
    const got = fs.read(object.handle, into, 0, into.length, object.position);
    object.position += got;
    return got;
  }
  if (object.input === undefined) throw fsError(ERRNO.EBADF);
  return object.input.read(into, 0, into.length);
}

/** Writes all of `bytes`. */
export function writeObject(fs: InodeFs, object: OpenObject, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) {
    at += writeSome(fs, object, bytes, at);
  }
}

function writeSome(fs: InodeFs, object: OpenObject, bytes: Uint8Array, at: number): number {
  if (object.kind === "dir") throw fsError(ERRNO.EBADF);
  if (object.kind === "stream") {
    if (object.output === undefined) throw fsError(ERRNO.EBADF);
    return object.output.write(bytes, at, bytes.length - at);
  }
  const append = (object.flags & FDFLAG.append) !== 0;
  const position = append ? fs.getattr(object.ino).size : object.position;
  const put = fs.write(object.handle, bytes, at, bytes.length - at, position);
  object.position = position + put;
  return put;
}

/** An open object as what a program reads from; one that cannot be read is at its end. */
export function inputOf(fs: InodeFs, object: OpenObject): GuestInput {
  if (object.kind === "stream") return object.input ?? EMPTY_INPUT;
  return {
    kind: "pipe",
    read: (into, offset, length) => readObject(fs, object, into.subarray(offset, offset + length)),
    ready: () => 1,
    wait: () => undefined,
  };
}

/** An open object as what a program writes to; one that cannot be written forgets. */
export function outputOf(fs: InodeFs, object: OpenObject): GuestOutput {
  if (object.kind === "stream") return object.output ?? NULL_OUTPUT;
  return {
    kind: "pipe",
    write(from, offset, length) {
      writeObject(fs, object, from.subarray(offset, offset + length));
      return length;
    },
  };
}

/** Descriptors 0, 1 and 2 of a program of the host, one reference each. */
export function stdioObjects(stdin: GuestInput, stdout: GuestOutput, stderr: GuestOutput): Map<number, OpenObject> {
  const objects = [streamObject(stdin, undefined), streamObject(undefined, stdout), streamObject(undefined, stderr)];
  return new Map(objects.map((object, fd) => [fd, object]));
}
