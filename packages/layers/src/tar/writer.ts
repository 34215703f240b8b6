// Members -> tar bytes, reproducible: ustar headers, PAX records only where ustar cannot say it, no user names, no clock.
// Same members, same bytes, same digest, on every machine (OCI image-spec layer.md "Tar", POSIX pax).
import { toBytes, type ByteString } from "@lapstrake/base";
import { BytesContent, type Content } from "../tree/content.ts";
import type { LayerEntry } from "../tree/entries.ts";
import { compareBytes } from "../tree/order.ts";
import { tarError } from "./errors.ts";
import { BLOCK } from "./header.ts";
import { formatPaxTime } from "./numbers.ts";

const FLAGS: Readonly<Record<string, string>> = {
  file: "0",
  hardlink: "1",
  symlink: "2",
  char: "3",
  block: "4",
  dir: "5",
  fifo: "6",
};
const READ_BYTES = 1024 * 1024;
const MAX_OCTAL_7 = 0o7777777;
const MAX_OCTAL_11 = 0o77777777777;

/** The archive of `entries`, as chunks. Bytes that lie in memory are handed on, not copied. */
export function* writeTar(entries: Iterable<LayerEntry>): Generator<Uint8Array, void, undefined> {
  for (const entry of entries) yield* writeMember(entry);
  yield new Uint8Array(2 * BLOCK);
}

/** One member; without `withBytes` its headers only. */
export function* writeMember(entry: LayerEntry, withBytes: boolean = true): Generator<Uint8Array, void, undefined> {
  const path = tarPath(entry);
  const records = paxRecords(entry, path);
  if (records.length > 0) yield* paxMember(path, records);
  yield header(entry, path);
  if (entry.size === 0 || !withBytes) return;
  yield* contents(entry);
  const rest = (BLOCK - (entry.size % BLOCK)) % BLOCK;
  if (rest > 0) yield new Uint8Array(rest);
}

function* contents({ content, size, path }: LayerEntry): Generator<Uint8Array, void, undefined> {
  if (content === undefined) throw tarError(`no bytes for "${path}"`);
  if (content instanceof BytesContent) {
    yield content.bytes;
    return;
  }
  for (let done = 0; done < size;) {
    const chunk = readChunk(content, done, Math.min(READ_BYTES, size - done));
    yield chunk;
    done += chunk.length;
  }
}

function readChunk(content: Content, position: number, length: number): Uint8Array {
  const chunk = new Uint8Array(length);
  const count = content.read(position, chunk, 0, length);
  // A file that shrank while it was read keeps its size in the header: zeros, as every tar writer does.
  return count === 0 ? chunk : chunk.subarray(0, count);
}

function tarPath({ path, type }: LayerEntry): ByteString {
  if (path === "") return "./";
  return type === "dir" ? `${path}/` : path;
}

/** PAX records as sorted "key=value" byte strings. */
function paxRecords(entry: LayerEntry, path: ByteString): ByteString[] {
  const records: [ByteString, ByteString][] = [];
  if (splitPath(path) === undefined) records.push(["path", path]);
  if (entry.target.length > 100) records.push(["linkpath", entry.target]);
  if (entry.uid > MAX_OCTAL_7) records.push(["uid", String(entry.uid)]);
  if (entry.gid > MAX_OCTAL_7) records.push(["gid", String(entry.gid)]);
  if (entry.size > MAX_OCTAL_11) records.push(["size", String(entry.size)]);
  if (entry.mtimeNsec !== 0 || !fitsOctal(entry.mtimeSec)) {
    records.push(["mtime", formatPaxTime({ sec: entry.mtimeSec, nsec: entry.mtimeNsec })]);
  }
  for (const [name, value] of entry.xattrs ?? []) records.push([`SCHILY.xattr.${name}`, bytesText(value)]);
  return records.sort((a, b) => compareBytes(a[0], b[0])).map(([key, value]) => paxRecord(key, value));
}

function fitsOctal(value: number): boolean {
  return value >= 0 && value <= MAX_OCTAL_11;
}

function bytesText(value: Uint8Array): ByteString {
  let out = "";
  for (const byte of value) out += String.fromCharCode(byte);
  return out;
}

/** "LENGTH key=value\n", where LENGTH counts itself. */
function paxRecord(key: ByteString, value: ByteString): ByteString {
  const rest = ` ${key}=${value}\n`;
  let length = rest.length + 1;
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
  return `${length}${rest}`;
}

function* paxMember(path: ByteString, records: readonly ByteString[]): Generator<Uint8Array, void, undefined> {
  const body = toBytes(records.join(""));
  const name = `PaxHeaders.0/${path.replace(/\/$/, "").slice(-80).replace(/^.*\//, "")}`;
  const block = new Uint8Array(BLOCK);
  putText(block, 0, name.slice(0, 100));
  putCommon(block, { mode: 0o644, uid: 0, gid: 0, size: body.length, mtime: 0 }, "x");
  yield block;
  yield body;
  const rest = (BLOCK - (body.length % BLOCK)) % BLOCK;
  if (rest > 0) yield new Uint8Array(rest);
}

function header(entry: LayerEntry, path: ByteString): Uint8Array {
  const flag = FLAGS[entry.type];
  if (flag === undefined) throw tarError(`a ${entry.type} cannot be stored in a tar archive`, "UNSUPPORTED");
  const block = new Uint8Array(BLOCK);
  const [prefix, name] = splitPath(path) ?? ["", path.slice(0, 100)];
  putText(block, 0, name);
  putText(block, 345, prefix);
  putText(block, 157, entry.target.slice(0, 100));
  putNumber(block, 329, 8, entry.rdevMajor);
  putNumber(block, 337, 8, entry.rdevMinor);
  const fields = {
    mode: entry.mode,
    uid: entry.uid > MAX_OCTAL_7 ? 0 : entry.uid,
    gid: entry.gid > MAX_OCTAL_7 ? 0 : entry.gid,
    size: entry.size > MAX_OCTAL_11 ? 0 : entry.size,
    mtime: fitsOctal(entry.mtimeSec) ? entry.mtimeSec : 0,
  };
  putCommon(block, fields, flag);
  return block;
}

interface CommonFields {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly mtime: number;
}

function putCommon(block: Uint8Array, { mode, uid, gid, size, mtime }: CommonFields, flag: string): void {
  putNumber(block, 100, 8, mode);
  putNumber(block, 108, 8, uid);
  putNumber(block, 116, 8, gid);
  putNumber(block, 124, 12, size);
  putNumber(block, 136, 12, mtime);
  putText(block, 156, flag);
  putText(block, 257, "ustar\0" + "00");
  putText(block, 148, "        ");
  let sum = 0;
  for (const byte of block) sum += byte;
  putText(block, 148, `${sum.toString(8).padStart(6, "0")}\0 `);
}

/** Prefix and name of a path that ustar can hold, undefined when it cannot. */
function splitPath(path: ByteString): [ByteString, ByteString] | undefined {
  if (path.length <= 100) return ["", path];
  if (path.length > 256) return undefined;
  const slash = path.lastIndexOf("/", Math.min(155, path.length - 2));
  if (slash <= 0 || path.length - slash - 1 > 100) return undefined;
  return [path.slice(0, slash), path.slice(slash + 1)];
}

function putText(block: Uint8Array, at: number, text: ByteString): void {
  for (let i = 0; i < text.length; i++) block[at + i] = text.charCodeAt(i);
}

function putNumber(block: Uint8Array, at: number, length: number, value: number): void {
  putText(block, at, value.toString(8).padStart(length - 1, "0"));
}
