// PAX extended headers (POSIX pax "pax Extended Header"): records of "LENGTH KEY=VALUE\n", values are bytes.
// Extended attributes come as SCHILY.xattr.* (raw) and LIBARCHIVE.xattr.* (base64); both are bytes here.
import { toBytes, type ByteString } from "@lapstrake/base";
import { MAX_SPARSE_EXTENTS } from "../limits.ts";
import { tarError } from "./errors.ts";
import { latin1 } from "./latin1.ts";

/** Records of one or more PAX headers. */
export interface PaxRecords {
  readonly values: ReadonlyMap<string, ByteString>;
  readonly xattrs: ReadonlyMap<ByteString, Uint8Array>;
  /** The repeated offset and numbytes records of GNU sparse format 0.0, in order. */
  readonly sparse: readonly number[];
}

export const NO_PAX: PaxRecords = { values: new Map(), xattrs: new Map(), sparse: [] };

const SCHILY = "SCHILY.xattr.";
const LIBARCHIVE = "LIBARCHIVE.xattr.";
const SELINUX = "RHT.security.selinux";

/** Parses the body of an 'x' or 'g' member over `onto`; an empty value takes a record back. */
export function parsePax(body: Uint8Array, onto: PaxRecords): PaxRecords {
  const values = new Map(onto.values);
  const xattrs = new Map(onto.xattrs);
  const sparse: number[] = [...onto.sparse];
  for (let at = 0; at < body.length;) {
    const record = readRecord(body, at);
    at = record.end;
    store(record.key, body.subarray(record.valueStart, record.end - 1), values, xattrs, sparse);
  }
  return { values, xattrs, sparse };
}

interface Record {
  readonly key: ByteString;
  readonly valueStart: number;
  readonly end: number;
}

function readRecord(body: Uint8Array, at: number): Record {
  const space = body.indexOf(0x20, at);
  const length = space < 0 ? 0 : readLength(body, at, space);
  const end = at + length;
  if (length < space - at + 4 || end > body.length || body[end - 1] !== 0x0a)
    throw tarError("a PAX record has a wrong length");
  const equals = body.indexOf(0x3d, space);
  if (equals <= space + 1 || equals >= end) throw tarError("a PAX record has no key");
  return { key: latin1(body, space + 1, equals), valueStart: equals + 1, end };
}

/** The decimal before a record, 0 when it is none. */
function readLength(body: Uint8Array, at: number, end: number): number {
  let value = 0;
  for (let i = at; i < end; i++) {
    const digit = body[i]! - 0x30;
    if (digit < 0 || digit > 9 || end - at > 10) return 0;
    value = value * 10 + digit;
  }
  return body[at] === 0x30 ? 0 : value;
}

function store(
  key: ByteString,
  value: Uint8Array,
  values: Map<string, ByteString>,
  xattrs: Map<ByteString, Uint8Array>,
  sparse: number[],
): void {
  const attribute = xattrName(key);
  if (attribute !== undefined) {
    xattrs.set(attribute, key.startsWith(LIBARCHIVE) ? base64(value) : new Uint8Array(value));
    return;
  }
  if (value.length === 0) {
    values.delete(key);
    return;
  }
  const text = latin1(value, 0, value.length);
  if (text.includes("\0")) throw tarError(`the PAX record "${key.slice(0, 60)}" contains a NUL byte`);
  if (key === "GNU.sparse.offset" || key === "GNU.sparse.numbytes") {
    if (sparse.length >= 2 * MAX_SPARSE_EXTENTS) throw tarError(`more than ${MAX_SPARSE_EXTENTS} extents`, "LIMIT");
    sparse.push(sparseNumber(text));
  } else values.set(key, text);
}

function sparseNumber(text: string): number {
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(value)) throw tarError("a sparse map is not made of numbers");
  return value;
}

function xattrName(key: ByteString): ByteString | undefined {
  if (key.startsWith(SCHILY)) return key.slice(SCHILY.length);
  if (key.startsWith(LIBARCHIVE)) return key.slice(LIBARCHIVE.length).replace(/%([0-9A-Fa-f]{2})/g, unescapeByte);
  return key === SELINUX ? "security.selinux" : undefined;
}

function unescapeByte(_: string, hex: string): string {
  return String.fromCharCode(Number.parseInt(hex, 16));
}

function base64(value: Uint8Array): Uint8Array {
  try {
    return toBytes(atob(latin1(value, 0, value.length)));
  } catch (cause) {
    throw Object.assign(tarError("an extended attribute is not base64"), { cause });
  }
}
