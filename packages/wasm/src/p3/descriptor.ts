// wasi:filesystem/types 0.3: the 0.2 descriptor with variants for enums, streams for content, and futures for their ends.
import type { GuestOutput } from "../io/ports.ts";
import {
  Descriptor as Descriptor2,
  type DescriptorFlags,
  type NewTimestamp,
  type OpenFlags,
  type PathFlags,
} from "../p2/descriptor.ts";
import type { ComponentHost } from "../p2/host.ts";
import { coded, errorCode, type ErrorCode } from "./errors.ts";
import { readItems, writeStream, type GuestStream, type Outcome, type ReadPair } from "./streams.ts";

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
  readonly #host: ComponentHost;
  readonly #inner: Descriptor2;

  constructor(host: ComponentHost, inner: Descriptor2) {
    this.#host = host;
    this.#inner = inner;
  }

  readViaStream(offset: bigint): ReadPair<Uint8Array, ErrorCode> {
    return readItems(this.#chunks(offset), () => undefined, errorCode);
  }

  /** The 0.2 descriptor may be dropped while the stream is read: the stream of 0.2 keeps the file open. */
  *#chunks(offset: bigint): Generator<Uint8Array> {
    const stream = this.#inner.readViaStream(offset);
    try {
      for (;;) yield stream.blockingRead(CHUNK);
    } catch (error) {
      if (!isClosed(error)) throw streamError(error);
    } finally {
      stream[Symbol.dispose]();
    }
  }

  writeViaStream(data: GuestStream, offset: bigint): Promise<Outcome<ErrorCode>> {
    return this.#write(data, () => this.#inner.writeViaStream(offset));
  }

  appendViaStream(data: GuestStream): Promise<Outcome<ErrorCode>> {
    return this.#write(data, () => this.#inner.appendViaStream());
  }

  #write(data: GuestStream, open: () => ReturnType<Descriptor2["appendViaStream"]>): Promise<Outcome<ErrorCode>> {
    let stream: ReturnType<typeof open>;
    try {
      stream = open();
    } catch (error) {
      data[Symbol.dispose]?.();
      return Promise.resolve({ tag: "err", val: errorCode(error) });
    }
    const output: GuestOutput = {
      kind: "pipe",
      write(from, at, length) {
        stream.write(from.subarray(at, at + length));
        return length;
      },
    };
    return writeStream(this.#host, data, output, (error) => errorCode(streamError(error))).finally(() => {
      stream[Symbol.dispose]();
    });
  }

  readDirectory(): ReadPair<Entry, ErrorCode> {
    return readItems(this.#entries(), () => undefined, errorCode);
  }

  *#entries(): Generator<Entry> {
    const stream = this.#inner.readDirectory();
    try {
      for (let entry = stream.readDirectoryEntry(); entry !== undefined; entry = stream.readDirectoryEntry()) {
        yield { name: entry.name, type: { tag: entry.type } };
      }
    } finally {
      stream[Symbol.dispose]();
    }
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
    return this.#inner.getFlags();
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
    return coded(() => new Descriptor(this.#host, this.#inner.openAt(pathFlags, name, open, flags)));
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
