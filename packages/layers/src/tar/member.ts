// One member of an archive, all header forms brought together: what the parser tells its sink.
import type { ByteString, FileType } from "@lapstrake/base";
import { MAX_FILE_BYTES } from "../limits.ts";
import { tarError } from "./errors.ts";
import type { RawHeader } from "./header.ts";
import { parsePaxNumber, parsePaxTime } from "./numbers.ts";
import type { PaxRecords } from "./pax.ts";

/** A member as the archive has it: names are not cleaned. */
export interface TarMember {
  readonly path: ByteString;
  readonly type: FileType | "hardlink";
  /** mode & 0o7777. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Logical bytes of a regular file, else 0. */
  readonly size: number;
  readonly mtimeSec: number;
  readonly mtimeNsec: number;
  /** The mtime when the archive has none. */
  readonly atimeSec: number;
  readonly atimeNsec: number;
  /** Target of a symbolic or hard link. */
  readonly target: ByteString;
  readonly rdevMajor: number;
  readonly rdevMinor: number;
  readonly xattrs: ReadonlyMap<ByteString, Uint8Array> | undefined;
}

const TYPES: Readonly<Record<string, TarMember["type"]>> = {
  "0": "file",
  "\0": "file",
  "7": "file",
  S: "file",
  "1": "hardlink",
  "2": "symlink",
  "3": "char",
  "4": "block",
  "5": "dir",
  D: "dir",
  "6": "fifo",
};

/** Names that GNU 'L' and 'K' members gave to the next one. */
export interface LongNames {
  readonly path: ByteString | undefined;
  readonly target: ByteString | undefined;
}

/** The type of a member; throws `ERR_LAP_TAR_UNSUPPORTED`. */
export function memberType(flag: string, path: ByteString): TarMember["type"] {
  const type = Object.hasOwn(TYPES, flag) ? TYPES[flag]! : undefined;
  if (type === undefined) throw tarError(`member type ${JSON.stringify(flag)} is not supported`, "UNSUPPORTED");
  return type === "file" && path.endsWith("/") && flag !== "S" ? "dir" : type;
}

/** The member of a header with its PAX records and long names; `size` is the logical size. */
export function makeMember(raw: RawHeader, pax: PaxRecords, long: LongNames, size: number): TarMember {
  const { values, xattrs } = pax;
  const path = values.get("GNU.sparse.name") ?? values.get("path") ?? long.path ?? raw.name;
  const type = memberType(raw.flag, path);
  const mtime = time(values.get("mtime")) ?? { sec: raw.mtime, nsec: 0 };
  const atime = time(values.get("atime")) ?? mtime;
  return {
    path,
    type,
    mode: raw.mode,
    uid: id(values.get("uid"), raw.uid, "uid"),
    gid: id(values.get("gid"), raw.gid, "gid"),
    size: type === "file" ? checkSize(size) : 0,
    mtimeSec: mtime.sec,
    mtimeNsec: mtime.nsec,
    atimeSec: atime.sec,
    atimeNsec: atime.nsec,
    target: type === "symlink" || type === "hardlink" ? (values.get("linkpath") ?? long.target ?? raw.linkname) : "",
    rdevMajor: raw.major,
    rdevMinor: raw.minor,
    xattrs: xattrs.size === 0 ? undefined : xattrs,
  };
}

function time(text: string | undefined): ReturnType<typeof parsePaxTime> | undefined {
  return text === undefined ? undefined : parsePaxTime(text);
}

const MAX_ID = 2 ** 32 - 2;

function id(text: string | undefined, raw: number, field: string): number {
  const value = text === undefined ? raw : parsePaxNumber(text, field);
  if (value < 0 || value > MAX_ID) throw tarError(`${field} ${value} is out of range`);
  return value;
}

export function checkSize(size: number): number {
  if (size < 0) throw tarError("a size is negative");
  if (size > MAX_FILE_BYTES) throw tarError(`a member has ${size} bytes, more than ${MAX_FILE_BYTES}`, "LIMIT");
  return size;
}
