// wasi:filesystem/types 0.3: the 0.2 descriptor with variants for enums, streams for content, and futures for their ends.
import { ERRNO, fsError } from "@lapstrake/base";
import type { GuestOutput } from "../io/ports.ts";
import {
  Descriptor as Descriptor2,
  type DescriptorFlags,
  type NewTimestamp,
  type OpenFlags,
  type PathFlags,
} from "../p2/descriptor.ts";
import type { Preview3Host } from "./host.ts";
import { coded, errorCode, type ErrorCode } from "./errors.ts";
import type { InputStream, OutputStream } from "../p2/streams.ts";
import { failedRead, readItems, writeStream, type GuestStream, type Outcome, type ReadPair } from "./streams.ts";

/** Bytes of one read. */
const CHUNK = 65_536n;

interface Tagged {
  readonly tag: string;
}

interface Entry {
  readonly type: Tagged;
  readonly name: string;
}

type Stat = Omit<ReturnType<Descriptor2["stat"]>, "type"> & { readonly type: Tagged };

function statOf(stat: ReturnType<Descriptor2["stat"]>): Stat {
  return { ...stat, type: { tag: stat.type } };
}

export class Descriptor {
  readonly #host: Preview3Host;
  readonly #inner: Descriptor2;

  readonly #flags: DescriptorFlags;

  constructor(host: Preview3Host, inner: Descriptor2, flags: DescriptorFlags) {
    this.#host = host;
    this.#inner = inner;
    this.#flags = flags;
  }

  readViaStream(offset: bigint): ReadPair<Uint8Array, ErrorCode> {
    const stream = attempt(() => this.#inner.readViaStream(offsetOf(offset)));
    if ("failed" in stream) return failedRead(stream.failed);
    return readItems(
      this.#host,
      () => nextChunk(stream.opened),
      () => stream.opened[Symbol.dispose](),
      errorCode,
    );
  }

  writeViaStream(data: GuestStream, offset: bigint): Promise<Outcome<ErrorCode>> {
    return this.#write(data, () => this.#inner.writeViaStream(offsetOf(offset)));
  }

  appendViaStream(data: GuestStream): Promise<Outcome<ErrorCode>> {
    return this.#write(data, () => this.#inner.appendViaStream());
  }

  #write(data: GuestStream, open: () => OutputStream): Promise<Outcome<ErrorCode>> {
    const stream = attempt(open);
    if ("failed" in stream) {
      data[Symbol.dispose]?.();
      return Promise.resolve({ tag: "err", val: stream.failed });
    }
    const output: GuestOutput = {
      kind: "pipe",
      write(from, at, length) {
        stream.opened.write(from.subarray(at, at + length));
        return length;
      },
    };
    return writeStream(this.#host, data, output, (error) => errorCode(streamError(error))).finally(() => {
      stream.opened[Symbol.dispose]();
    });
  }

  readDirectory(): ReadPair<Entry, ErrorCode> {
    const stream = attempt(() => this.#inner.readDirectory());
    if ("failed" in stream) return failedRead(stream.failed);
    const next = (): Entry | undefined => {
      const entry = stream.opened.readDirectoryEntry();
      return entry === undefined ? undefined : { name: entry.name, type: { tag: entry.type } };
    };
    return readItems(this.#host, next, () => stream.opened[Symbol.dispose](), errorCode);
  }

  advise(_offset: bigint, _length: bigint): void {
    coded(() => this.#inner.advise());
  }

  sync(): void {
    coded(() => this.#inner.sync());
  }

  syncData(): void {
    coded(() => this.#inner.syncData());
  }

  getFlags(): DescriptorFlags {
    return this.#flags;
  }

  getType(): Tagged {
    return coded(() => ({ tag: this.#inner.getType() }));
  }

  setSize(size: bigint): void {
    coded(() => this.#inner.setSize(size));
  }

  setTimes(access: NewTimestamp, modify: NewTimestamp): void {
    coded(() => this.#inner.setTimes(access, modify));
  }

  setTimesAt(flags: PathFlags, name: string, access: NewTimestamp, modify: NewTimestamp): void {
    coded(() => this.#inner.setTimesAt(flags, name, access, modify));
  }

  stat(): Stat {
    return coded(() => statOf(this.#inner.stat()));
  }

  statAt(flags: PathFlags, name: string): Stat {
    return coded(() => statOf(this.#inner.statAt(flags, name)));
  }

  openAt(pathFlags: PathFlags, name: string, open: OpenFlags, flags: DescriptorFlags): Descriptor {
    const granted = grantedFlags(open, flags);
    return coded(() => new Descriptor(this.#host, this.#inner.openAt(pathFlags, name, open, granted), granted));
  }

  createDirectoryAt(name: string): void {
    coded(() => this.#inner.createDirectoryAt(name));
  }

  linkAt(flags: PathFlags, name: string, to: Descriptor, toName: string): void {
    coded(() => this.#inner.linkAt(flags, name, to.#inner, toName));
  }

  readlinkAt(name: string): string {
    return coded(() => this.#inner.readlinkAt(name));
  }

  removeDirectoryAt(name: string): void {
    coded(() => this.#inner.removeDirectoryAt(name));
  }

  renameAt(name: string, to: Descriptor, toName: string): void {
    coded(() => this.#inner.renameAt(name, to.#inner, toName));
  }

  symlinkAt(target: string, name: string): void {
    coded(() => this.#inner.symlinkAt(target, name));
  }

  unlinkFileAt(name: string): void {
    coded(() => this.#inner.unlinkFileAt(name));
  }

  isSameObject(other: Descriptor): boolean {
    return this.#inner.isSameObject(other.#inner);
  }

  metadataHash(): { lower: bigint; upper: bigint } {
    return this.#inner.metadataHash();
  }

  metadataHashAt(flags: PathFlags, name: string): { lower: bigint; upper: bigint } {
    return coded(() => this.#inner.metadataHashAt(flags, name));
  }

  [Symbol.dispose](): void {
    this.#inner[Symbol.dispose]();
  }
}

/** Without any access reading is meant; what creates or cuts a file also writes it. */
function grantedFlags(open: OpenFlags, flags: DescriptorFlags): DescriptorFlags {
  const none = flags.read !== true && flags.write !== true;
  const changes = open.create === true || open.truncate === true;
  return {
    ...flags,
    read: flags.read === true || none,
    write: flags.write === true || (changes && open.directory !== true),
  };
}

const MAX_OFFSET = 2n ** 63n - 1n;

/** A file offset: 0.3 has a code for those that no file has. */
function offsetOf(offset: bigint): bigint {
  if (offset > MAX_OFFSET) throw fsError(ERRNO.EINVAL);
  return offset;
}

/** What `open` gives, or the code of its failure. */
function attempt<T>(open: () => T): { readonly opened: T } | { readonly failed: ErrorCode } {
  try {
    return { opened: open() };
  } catch (error) {
    return { failed: errorCode(error) };
  }
}

function nextChunk(stream: InputStream): Uint8Array | undefined {
  try {
    return stream.blockingRead(CHUNK);
  } catch (error) {
    if (isClosed(error)) return undefined;
    throw streamError(error);
  }
}

interface StreamError {
  readonly tag?: unknown;
  readonly val?: { readonly code?: unknown };
}

function isClosed(error: unknown): boolean {
  return (error as StreamError | undefined)?.tag === "closed";
}

/** The filesystem's code inside a stream error of 0.2, else what was thrown. */
function streamError(error: unknown): unknown {
  const code = isClosed(error) ? "pipe" : (error as StreamError | undefined)?.val?.code;
  return typeof code === "string" ? code : error;
}
