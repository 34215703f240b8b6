// The guest's linear memory as host calls see it. Views are renewed when the memory has grown (the old buffer is detached).
import { fromBytes, type ByteString } from "@lapstrake/base";
import { WASI } from "./abi.ts";
import type { WasmMemory } from "../webassembly.ts";
import { wasiError } from "./errno.ts";

/** One piece of a scatter/gather list, bytes. */
export interface Span {
  readonly at: number;
  readonly length: number;
}

/** Limits of one call, far above what libraries use. */
const MAX_SPANS = 1024;
/** PATH_MAX: longer paths are ENAMETOOLONG. */
const MAX_PATH_BYTES = 4096;

export class GuestMemory {
  #memory: WasmMemory | undefined;
  #buffer: ArrayBufferLike | undefined;
  #bytes: Uint8Array = new Uint8Array(0);
  #view: DataView = new DataView(new ArrayBuffer(0));

  /** Called once the instance exists; host calls of a start function before that see no memory. */
  attach(memory: WasmMemory): void {
    this.#memory = memory;
    this.#renew();
  }

  #renew(): void {
    const buffer = this.#memory?.buffer ?? new ArrayBuffer(0);
    if (buffer === this.#buffer) return;
    this.#buffer = buffer;
    this.#bytes = new Uint8Array(buffer);
    this.#view = new DataView(buffer);
  }

  get bytes(): Uint8Array {
    if (this.#memory?.buffer !== this.#buffer) this.#renew();
    return this.#bytes;
  }

  get view(): DataView {
    if (this.#memory?.buffer !== this.#buffer) this.#renew();
    return this.#view;
  }

  /** The guest's bytes themselves, EFAULT when they do not lie inside. */
  range(at: number, length: number): Uint8Array {
    const bytes = this.bytes;
    const start = at >>> 0;
    const end = start + (length >>> 0);
    if (end > bytes.length) throw wasiError(WASI.EFAULT);
    return bytes.subarray(start, end);
  }

  setU32(at: number, value: number): void {
    this.view.setUint32(at >>> 0, value, true);
  }

  setU64(at: number, value: bigint): void {
    this.view.setBigUint64(at >>> 0, value, true);
  }

  u32(at: number): number {
    return this.view.getUint32(at >>> 0, true);
  }

  /** A path or name argument; NUL inside is EINVAL (POSIX could not say it). */
  path(at: number, length: number): ByteString {
    if (length >>> 0 > MAX_PATH_BYTES) throw wasiError(WASI.ENAMETOOLONG);
    const bytes = this.range(at, length);
    if (bytes.includes(0)) throw wasiError(WASI.EINVAL);
    return fromBytes(bytes);
  }

  /** The iovec array at `at`. */
  spans(at: number, count: number): Span[] {
    if (count >>> 0 > MAX_SPANS) throw wasiError(WASI.EINVAL);
    const out: Span[] = [];
    for (let i = 0; i < count; i++) {
      const entry = (at >>> 0) + 8 * i;
      out.push({ at: this.u32(entry), length: this.u32(entry + 4) });
    }
    return out;
  }
}
