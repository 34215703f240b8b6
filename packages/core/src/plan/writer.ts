// Growing little-endian bytes with the plan's field types (native/src/plan.h).
import { toBytes, toByteString } from "@lapstrake/base";
import type { FieldType } from "./ops.ts";
import type { PlanValue } from "./types.ts";

/** Appends values; `bytes()` ends it. */
export class PlanWriter {
  #buffer: Uint8Array = new Uint8Array(4096);
  #view: DataView = new DataView(this.#buffer.buffer);
  #length = 0;

  #reserve(size: number): number {
    const at = this.#length;
    if (at + size > this.#buffer.length) {
      const grown = new Uint8Array(Math.max(this.#buffer.length * 2, at + size));
      grown.set(this.#buffer);
      this.#buffer = grown;
      this.#view = new DataView(grown.buffer);
    }
    this.#length = at + size;
    return at;
  }

  get length(): number {
    return this.#length;
  }

  u32(value: number): void {
    const at = this.#reserve(4); // first: it may replace the view
    this.#view.setUint32(at, value, true);
  }

  u64(value: bigint | number): void {
    const at = this.#reserve(8);
    this.#view.setBigUint64(at, BigInt(value), true);
  }

  raw(bytes: Uint8Array): void {
    const at = this.#reserve(bytes.length);
    this.#buffer.set(bytes, at);
  }

  bytes(value: Uint8Array): void {
    this.u32(value.length);
    this.raw(value);
  }

  str(text: string): void {
    const bytes = toBytes(toByteString(text));
    if (bytes.includes(0)) throw new RangeError(`text with a NUL byte: ${JSON.stringify(text)}`);
    this.bytes(bytes);
    const at = this.#reserve(1);
    this.#buffer[at] = 0;
  }

  strs(list: readonly string[]): void {
    this.u32(list.length);
    for (const text of list) this.str(text);
  }

  u32s(list: readonly number[]): void {
    this.u32(list.length);
    for (const value of list) this.u32(value);
  }

  field(type: FieldType, value: PlanValue): void {
    if (type === "u32") this.u32(Number(value) >>> 0);
    else if (type === "u64") this.u64(value as bigint | number);
    else if (type === "str") this.str(value as string);
    else if (type === "strs") this.strs(value as readonly string[]);
    else if (type === "u32s") this.u32s(value as readonly number[]);
    else this.bytes(value as Uint8Array);
  }

  setU32(at: number, value: number): void {
    this.#view.setUint32(at, value, true);
  }

  finish(): Uint8Array {
    return this.#buffer.subarray(0, this.#length);
  }
}
