// Bytes of a tar archive -> members, pushed at the reader's pace. What lies whole in a chunk is handed on without copying, so that
// one push of a whole archive is the zero-copy reader and many pushes are the streaming one.
import type { ByteString } from "@lapstrake/base";
import { MAX_MEMBERS, MAX_PAX_BYTES, MAX_TAR_TRAILER_BYTES } from "../limits.ts";
import type { Extent } from "../tree/content.ts";
import { tarError } from "./errors.ts";
import { BLOCK, checksumFits, decodeHeader, isZeroBlock, longName, type RawHeader } from "./header.ts";
import { plainView } from "./latin1.ts";
import { checkSize, makeMember, memberType, type TarMember } from "./member.ts";
import { parsePaxNumber, readNumber } from "./numbers.ts";
import { NO_PAX, parsePax, type PaxRecords } from "./pax.ts";
import { TextMap, checkMap, readOldMap, recordMap } from "./sparse.ts";

/** Takes the members in archive order. */
export interface TarSink {
  member(member: TarMember): void;
  /** Bytes of the last member at `position` of the file; holes of sparse files are not told. */
  data(bytes: Uint8Array, position: number): void;
  /** The last member has no more bytes. */
  end(): void;
}

/** How to read past the end-of-archive mark: layers stop there, as every engine does. */
export interface TarOptions {
  /** Go on after the end mark when another archive follows (GNU tar's `--ignore-zeros`); default false. */
  readonly concatenated?: boolean;
}

type State = "header" | "meta" | "oldMap" | "textMap" | "data" | "padding" | "done";

export class TarParser {
  readonly #sink: TarSink;
  readonly #concatenated: boolean;
  #state: State = "header";
  /** A block, or the body of a meta member, that came in several chunks. */
  #partial: Uint8Array | undefined;
  #partialLength = 0;
  #zeroBlocks = 0;
  #members = 0;
  #header: RawHeader | undefined;
  #pax: PaxRecords = NO_PAX;
  #globals: PaxRecords = NO_PAX;
  #longPath: ByteString | undefined;
  #longTarget: ByteString | undefined;
  #extents: Extent[] = [];
  #extent = 0;
  #within = 0;
  #textMap: TextMap | undefined;
  /** Logical size in an old GNU sparse header, else -1. */
  #realSize = -1;
  /** Stored bytes left of the member. */
  #left = 0;
  #padding = 0;
  /** Bytes behind the end mark. */
  #trailer = 0;

  constructor(sink: TarSink, options: TarOptions = {}) {
    this.#sink = sink;
    this.#concatenated = options.concatenated ?? false;
  }

  /** Takes the next bytes. Throws `ERR_LAP_TAR_*`. */
  push(chunk: Uint8Array): void {
    const bytes = plainView(chunk);
    let at = 0;
    while (at < bytes.length && this.#state !== "done") at = this.#step(bytes, at);
    this.#trailer += bytes.length - at;
    if (this.#trailer <= MAX_TAR_TRAILER_BYTES) return;
    throw tarError(`it goes on for more than ${MAX_TAR_TRAILER_BYTES} bytes behind its end`, "LIMIT");
  }

  /** The archive is over; throws `ERR_LAP_TAR_TRUNCATED` when it stops inside a member. */
  finish(): void {
    const between = this.#state === "header" && this.#partialLength === 0;
    const open = this.#pax !== NO_PAX || this.#longPath !== undefined || this.#longTarget !== undefined;
    if (this.#state === "done" || (between && !open)) return;
    // Some writers leave out the padding of the last member.
    if (this.#state === "padding") return;
    throw tarError("it ends inside a member", "TRUNCATED");
  }

  #step(chunk: Uint8Array, at: number): number {
    if (this.#state === "data") return this.#data(chunk, at);
    if (this.#state === "padding") return this.#skip(chunk, at);
    const wanted = this.#state === "meta" ? this.#left : BLOCK;
    if (this.#partial === undefined && chunk.length - at >= wanted) {
      this.#block(chunk, at, wanted);
      return at + wanted;
    }
    this.#partial ??= new Uint8Array(wanted);
    const count = Math.min(chunk.length - at, wanted - this.#partialLength);
    this.#partial.set(chunk.subarray(at, at + count), this.#partialLength);
    this.#partialLength += count;
    if (this.#partialLength === wanted) {
      const whole = this.#partial;
      this.#partial = undefined;
      this.#partialLength = 0;
      this.#block(whole, 0, wanted);
    }
    return at + count;
  }

  #block(bytes: Uint8Array, at: number, length: number): void {
    if (this.#state === "header") this.#readHeader(bytes, at);
    else if (this.#state === "meta") this.#meta(bytes.subarray(at, at + length));
    else if (this.#state === "oldMap") this.#oldMap(bytes, at);
    else this.#readTextMap(bytes, at);
  }

  #readHeader(block: Uint8Array, at: number): void {
    if (block[at] === 0 && isZeroBlock(block, at)) {
      this.#zeroBlocks++;
      if (this.#zeroBlocks >= 2 && !this.#concatenated) this.#state = "done";
      return;
    }
    if (!checksumFits(block, at)) {
      if (this.#zeroBlocks >= 2) this.#state = "done";
      else throw tarError("a header has a wrong checksum");
      return;
    }
    if (this.#zeroBlocks === 1 && !this.#concatenated) throw tarError("a member follows a block of zeros");
    this.#zeroBlocks = 0;
    if (++this.#members > MAX_MEMBERS) throw tarError(`more than ${MAX_MEMBERS} members`, "LIMIT");
    const header = decodeHeader(block, at);
    this.#header = header;
    if ("xXgLK".includes(header.flag)) this.#startMeta(header.size);
    else if (header.flag === "V") this.#ignore(header.size);
    else this.#startMember(header, block, at);
  }

  #startMeta(size: number): void {
    if (size < 0) throw tarError("a size is negative");
    if (size > MAX_PAX_BYTES)
      throw tarError(`an extended header has ${size} bytes, more than ${MAX_PAX_BYTES}`, "LIMIT");
    this.#left = size;
    this.#padding = paddingOf(size);
    this.#state = "meta";
    if (size === 0) this.#meta(new Uint8Array(0));
  }

  #meta(body: Uint8Array): void {
    const { flag } = this.#header!;
    if (flag === "g") this.#globals = parsePax(body, this.#globals);
    else if (flag === "L") this.#longPath = longName(body);
    else if (flag === "K") this.#longTarget = longName(body);
    else this.#pax = parsePax(body, this.#pax);
    this.#endData(false);
  }

  #ignore(size: number): void {
    this.#left = 0;
    this.#padding = checkSize(size) + paddingOf(size);
    this.#endData(false);
  }

  #startMember(header: RawHeader, block: Uint8Array, at: number): void {
    const pax = this.#records();
    const { values } = pax;
    const path = values.get("path") ?? this.#longPath ?? header.name;
    const type = memberType(header.flag, path);
    const sizeText = values.get("size");
    const stored = checkSize(sizeText === undefined ? header.size : parsePaxNumber(sizeText, "size"));
    // Links, devices and directories have no bytes, whatever their size field says (as Go's reader has it); 'D' has.
    this.#left = type === "file" || header.flag === "D" ? stored : 0;
    this.#padding = paddingOf(this.#left);
    this.#extents = [];
    this.#realSize = -1;
    if (header.flag === "S") this.#startOldSparse(block, at);
    else if (type === "file" && values.get("GNU.sparse.major") === "1") {
      this.#textMap = new TextMap();
      this.#state = "textMap";
    } else this.#emit(type === "file" ? recordMap(pax) : undefined);
  }

  #records(): PaxRecords {
    if (this.#globals === NO_PAX) return this.#pax;
    const { values, xattrs } = this.#globals;
    return {
      values: new Map([...values, ...this.#pax.values]),
      xattrs: new Map([...xattrs, ...this.#pax.xattrs]),
      sparse: this.#pax.sparse,
    };
  }

  #startOldSparse(block: Uint8Array, at: number): void {
    readOldMap(block, at + 386, 4, this.#extents);
    this.#realSize = readNumber(block, at + 483, 12, "sparse size");
    if (block[at + 482] === 0) this.#emit(this.#extents);
    else this.#state = "oldMap";
  }

  #oldMap(block: Uint8Array, at: number): void {
    readOldMap(block, at, 21, this.#extents);
    if (block[at + 504] === 0) this.#emit(this.#extents);
  }

  #readTextMap(block: Uint8Array, at: number): void {
    this.#left -= BLOCK;
    if (this.#left < 0) throw tarError("a sparse map is longer than its member");
    if (this.#textMap!.push(block, at)) this.#emit(this.#textMap!.extents);
  }

  /** Tells the member; `map` is that of a sparse one. */
  #emit(map: Extent[] | undefined): void {
    const header = this.#header!;
    const pax = this.#records();
    const size = map === undefined ? this.#left : this.#logicalSize(pax);
    if (map !== undefined) this.#extents = checkMap(map, checkSize(size), this.#left);
    else this.#extents = this.#left > 0 ? [{ start: 0, length: this.#left }] : [];
    const member = makeMember(header, pax, { path: this.#longPath, target: this.#longTarget }, size);
    if (header.flag === "D") this.#extents = [];
    this.#extent = 0;
    this.#within = 0;
    this.#pax = NO_PAX;
    this.#longPath = this.#longTarget = this.#textMap = undefined;
    this.#sink.member(member);
    if (this.#left === 0) this.#endData(true);
    else this.#state = "data";
  }

  #logicalSize({ values }: PaxRecords): number {
    const text = values.get("GNU.sparse.realsize") ?? values.get("GNU.sparse.size");
    if (this.#realSize >= 0) return this.#realSize;
    if (text === undefined) throw tarError("a sparse member has no size");
    return parsePaxNumber(text, "sparse size");
  }

  #data(chunk: Uint8Array, at: number): number {
    const count = Math.min(chunk.length - at, this.#left);
    this.#spread(chunk, at, at + count);
    this.#left -= count;
    if (this.#left === 0) this.#endData(true);
    return at + count;
  }

  /** Hands stored bytes to the places where they belong. */
  #spread(chunk: Uint8Array, from: number, to: number): void {
    for (let at = from; at < to;) {
      const extent = this.#extents[this.#extent];
      if (extent === undefined) return;
      const count = Math.min(to - at, extent.length - this.#within);
      this.#sink.data(chunk.subarray(at, at + count), extent.start + this.#within);
      this.#within += count;
      at += count;
      if (this.#within === extent.length) {
        this.#extent++;
        this.#within = 0;
      }
    }
  }

  #endData(tell: boolean): void {
    this.#state = this.#padding > 0 ? "padding" : "header";
    if (tell) this.#sink.end();
  }

  #skip(chunk: Uint8Array, at: number): number {
    const count = Math.min(chunk.length - at, this.#padding);
    this.#padding -= count;
    if (this.#padding === 0) this.#state = "header";
    return at + count;
  }
}

function paddingOf(size: number): number {
  return (BLOCK - (size % BLOCK)) % BLOCK;
}

/** Reads a whole archive that lies in memory. */
export function parseTar(bytes: Uint8Array, sink: TarSink, options: TarOptions = {}): void {
  const parser = new TarParser(sink, options);
  parser.push(bytes);
  parser.finish();
}
