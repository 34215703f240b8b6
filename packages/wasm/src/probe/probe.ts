// A guest without code, for tests: calls the host's functions as a module would, with paths laid into its memory.
import { toByteString } from "@lapstrake/base";
import type { InodeFs } from "@lapstrake/layers";
import { EMPTY_INPUT, NULL_OUTPUT } from "../io/buffers.ts";
import { systemClock } from "../io/clock.ts";
import { DIR_RIGHTS, FILE_RIGHTS } from "../p1/abi.ts";
import { DescriptorTable } from "../p1/descriptors.ts";
import { preview1Imports, type HostFunction } from "../p1/imports.ts";
import { PREVIEW1 } from "../p1/layouts.ts";
import { GuestMemory } from "../p1/memory.ts";
import { randomBytes } from "../p1/process.ts";
import { Interrupt } from "../run/interrupt.ts";
import { openPreopens, partsOf, stream, wholeFilesystem } from "../run/preopens.ts";
import { Wasm, type WasmMemory } from "../webassembly.ts";

const FIRST_PATH = 1024;
const SECOND_PATH = 16_384;
const RESULT = 64;
const BUFFER = 32_768;
const BUFFER_BYTES = 16_384;
/** Descriptor of the first preopen. */
export const ROOT_FD = 3;

export class Probe {
  readonly memory: WasmMemory = new Wasm.Memory({ initial: 1 });
  readonly #calls: Record<string, HostFunction>;

  /** `parts` as in ModuleRun.preopens; without, the whole filesystem. */
  constructor(fs: InodeFs, parts?: Readonly<Record<string, string>>, maxFds = 1024) {
    const fds = new DescriptorTable(fs, maxFds);
    for (const one of [
      stream(EMPTY_INPUT, undefined),
      stream(undefined, NULL_OUTPUT),
      stream(undefined, NULL_OUTPUT),
    ]) {
      fds.add(one);
    }
    openPreopens(fds, fs, parts === undefined ? wholeFilesystem(fs, "/") : partsOf(fs, parts));
    const memory = new GuestMemory();
    memory.attach(this.memory);
    this.#calls = preview1Imports({
      fs,
      fds,
      memory,
      args: [],
      env: [],
      clock: systemClock,
      interrupt: new Interrupt(),
      layouts: PREVIEW1,
      random: randomBytes,
    });
  }

  /** Calls by name; the WASI errno. */
  call(name: string, ...args: (number | bigint)[]): number {
    return this.#calls[name]!(...args);
  }

  /** Puts a path into memory; pointer and length. */
  path(path: string, at: number = FIRST_PATH): [number, number] {
    const bytes = toByteString(path);
    const memory = new Uint8Array(this.memory.buffer);
    for (let i = 0; i < bytes.length; i++) memory[at + i] = bytes.charCodeAt(i);
    return [at, bytes.length];
  }

  /** path_open; the descriptor, or the negative errno. */
  open(fd: number, path: string, flags: { follow?: boolean; oflags?: number; rights?: number } = {}): number {
    const rights = BigInt(flags.rights ?? FILE_RIGHTS);
    const inheriting = BigInt(DIR_RIGHTS | FILE_RIGHTS);
    const follow = flags.follow === true ? 1 : 0;
    const errno = this.call(
      "path_open",
      fd,
      follow,
      ...this.path(path),
      flags.oflags ?? 0,
      rights,
      inheriting,
      0,
      RESULT,
    );
    return errno === 0 ? new DataView(this.memory.buffer).getUint32(RESULT, true) : -errno;
  }

  /** Everything a descriptor gives, as text. */
  readAll(fd: number): string {
    const view = new DataView(this.memory.buffer);
    view.setUint32(0, BUFFER, true);
    view.setUint32(4, BUFFER_BYTES, true);
    if (this.call("fd_read", fd, 0, 1, RESULT) !== 0) return "";
    const length = view.getUint32(RESULT, true);
    return String.fromCharCode(...new Uint8Array(this.memory.buffer, BUFFER, length));
  }

  /** Writes text at the descriptor's position; the errno. */
  write(fd: number, text: string): number {
    const [at, length] = this.path(text);
    const view = new DataView(this.memory.buffer);
    view.setUint32(0, at, true);
    view.setUint32(4, length, true);
    return this.call("fd_write", fd, 0, 1, RESULT);
  }

  /** A call with one path of a directory. */
  at(name: string, fd: number, path: string): number {
    return this.call(name, fd, ...this.path(path));
  }

  /** A call with two: path_rename, path_link (with lookup flags first). */
  from(name: "path_rename" | "path_link", fd: number, path: string, toFd: number, toPath: string): number {
    const lookup = name === "path_link" ? [0] : [];
    return this.call(name, fd, ...lookup, ...this.path(path), toFd, ...this.path(toPath, SECOND_PATH));
  }

  symlink(target: string, fd: number, path: string): number {
    return this.call("path_symlink", ...this.path(target, SECOND_PATH), fd, ...this.path(path));
  }
}
