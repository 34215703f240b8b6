// Maps of sparse members: old GNU ('S' headers), PAX 0.0 and 0.1 (records), 1.0 (text before the data): GNU tar manual "Storing Sparse Files".
import { fromBytes } from "@lapstrake/base";
import { MAX_SPARSE_EXTENTS } from "../limits.ts";
import type { Extent } from "../tree/content.ts";
import { tarError } from "./errors.ts";
import { readNumber } from "./numbers.ts";
import type { PaxRecords } from "./pax.ts";

/** Extents of an old GNU header (4 at 386) or extension block (21 at 0). */
export function readOldMap(block: Uint8Array, at: number, count: number, onto: Extent[]): void {
  for (let i = 0; i < count; i++) {
    const entry = at + i * 24;
    if (block[entry] === 0) return;
    if (onto.length >= MAX_SPARSE_EXTENTS) throw tarError(`more than ${MAX_SPARSE_EXTENTS} extents`, "LIMIT");
    onto.push({
      start: readNumber(block, entry, 12, "sparse offset"),
      length: readNumber(block, entry + 12, 12, "sparse size"),
    });
  }
}

/** The map in PAX records (formats 0.0 and 0.1), undefined when there is none. */
export function recordMap({ values, sparse }: PaxRecords): Extent[] | undefined {
  const text = values.get("GNU.sparse.map");
  if (text !== undefined) return pairs(text === "" ? [] : text.split(",").map(number));
  return values.has("GNU.sparse.size") && values.get("GNU.sparse.major") === undefined ? pairs(sparse) : undefined;
}

/** Reads the text map of format 1.0 as its blocks come; the map ends on a block boundary. */
export class TextMap {
  readonly #numbers: number[] = [];
  #digits = "";
  #wanted = 1;

  /** Takes one 512-byte block; true when the map is complete. */
  push(block: Uint8Array, at: number): boolean {
    for (const char of fromBytes(block, at, at + 512)) {
      if (char === "\n") this.#number();
      else if (this.#digits.length > 16) throw tarError("a sparse map is not made of numbers");
      else this.#digits += char;
      if (this.#numbers.length === this.#wanted) return true;
    }
    return false;
  }

  #number(): void {
    this.#numbers.push(number(this.#digits));
    this.#digits = "";
    if (this.#numbers.length !== 1) return;
    const count = this.#numbers[0]!;
    if (count > MAX_SPARSE_EXTENTS) throw tarError(`more than ${MAX_SPARSE_EXTENTS} extents`, "LIMIT");
    this.#wanted = 1 + 2 * count;
  }

  get extents(): Extent[] {
    return pairs(this.#numbers.slice(1));
  }
}

function number(text: string): number {
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(value)) throw tarError("a sparse map is not made of numbers");
  return value;
}

function pairs(numbers: readonly number[]): Extent[] {
  if (numbers.length % 2 !== 0) throw tarError("a sparse map has an odd number of values");
  if (numbers.length > 2 * MAX_SPARSE_EXTENTS) throw tarError(`more than ${MAX_SPARSE_EXTENTS} extents`, "LIMIT");
  const out: Extent[] = [];
  for (let i = 0; i < numbers.length; i += 2) out.push({ start: numbers[i]!, length: numbers[i + 1]! });
  return out;
}

/** Checks a map against the file's size and the stored bytes; empty extents are dropped. */
export function checkMap(extents: readonly Extent[], size: number, stored: number): Extent[] {
  let end = 0;
  let sum = 0;
  for (const { start, length } of extents) {
    if (start < end || start + length > size) throw tarError("a sparse map overlaps or leaves the file");
    end = start + length;
    sum += length;
  }
  if (sum !== stored) throw tarError("a sparse map does not fit the stored bytes");
  return extents.filter(({ length }) => length > 0);
}
