// Byte layouts that differ between wasi_snapshot_preview1 and wasi_unstable (snapshot 0): filestat, subscription, whence.
import type { Attr } from "@lapstrake/layers";
import type { FileType } from "@lapstrake/base";
import { FILETYPE, WHENCE } from "./abi.ts";

/** The layout of one ABI version. */
export interface Layouts {
  /** Bytes of one subscription of poll_oneoff; its clock fields start at `clockAt`. */
  readonly subscriptionSize: number;
  readonly clockAt: number;
  /** WHENCE of the ABI's own number; undefined when it is none. */
  whence(value: number): number | undefined;
  writeFilestat(view: DataView, at: number, stat: Filestat): void;
}

/** filestat of a file or stream. Times in nanoseconds. */
export interface Filestat {
  readonly ino: bigint;
  readonly filetype: number;
  readonly nlink: number;
  readonly size: number;
  readonly atimeNs: bigint;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
}

/** The one device number of a guest's filesystem. */
const DEVICE = 1n;

const FILETYPES: Readonly<Record<FileType, number>> = {
  file: FILETYPE.file,
  dir: FILETYPE.dir,
  symlink: FILETYPE.symlink,
  char: FILETYPE.char,
  block: FILETYPE.block,
  fifo: FILETYPE.unknown,
  socket: FILETYPE.socketStream,
};

export function filetypeOf(type: FileType): number {
  return FILETYPES[type];
}

/** filestat of an inode. */
export function filestatOf(attr: Attr): Filestat {
  return {
    ino: BigInt(attr.ino),
    filetype: FILETYPES[attr.type],
    nlink: attr.nlink,
    size: attr.size,
    atimeNs: nanoseconds(attr.atimeSec, attr.atimeNsec),
    mtimeNs: nanoseconds(attr.mtimeSec, attr.mtimeNsec),
    ctimeNs: nanoseconds(attr.ctimeSec, attr.ctimeNsec),
  };
}

/** WASI's timestamps are unsigned: before the epoch becomes the epoch. */
function nanoseconds(sec: number, nsec: number): bigint {
  return sec < 0 ? 0n : BigInt(sec) * 1_000_000_000n + BigInt(nsec);
}

export const PREVIEW1: Layouts = {
  subscriptionSize: 48,
  clockAt: 16,
  whence: (value) => (value <= WHENCE.end ? value : undefined),
  writeFilestat(view, at, stat) {
    view.setBigUint64(at, DEVICE, true);
    view.setBigUint64(at + 8, stat.ino, true);
    view.setBigUint64(at + 16, BigInt(stat.filetype), true);
    view.setBigUint64(at + 24, BigInt(stat.nlink), true);
    writeTail(view, at + 32, stat);
  },
};

/** Snapshot 0: nlink is 32 bits right after the type, whence counts cur, end, set, and a clock subscription has an identifier. */
export const UNSTABLE: Layouts = {
  subscriptionSize: 56,
  clockAt: 24,
  whence: (value) => [WHENCE.cur, WHENCE.end, WHENCE.set][value],
  writeFilestat(view, at, stat) {
    view.setBigUint64(at, DEVICE, true);
    view.setBigUint64(at + 8, stat.ino, true);
    view.setUint32(at + 16, stat.filetype, true);
    view.setUint32(at + 20, stat.nlink, true);
    writeTail(view, at + 24, stat);
  },
};

function writeTail(view: DataView, at: number, stat: Filestat): void {
  view.setBigUint64(at, BigInt(stat.size), true);
  view.setBigUint64(at + 8, stat.atimeNs, true);
  view.setBigUint64(at + 16, stat.mtimeNs, true);
  view.setBigUint64(at + 24, stat.ctimeNs, true);
}
