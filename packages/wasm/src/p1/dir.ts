// fd_readdir: entries from a cookie on, cut off where the guest's buffer ends (it then asks again with the last whole entry's cookie).
import { RIGHT, WASI, FILETYPE } from "./abi.ts";
import type { DirItem, Ino } from "@lapstrake/layers";
import type { OpenDir } from "./descriptors.ts";
import type { Guest, HostFunctions } from "./guest.ts";
import { filetypeOf } from "./layouts.ts";
import { mustIno } from "./errno.ts";

const HEADER_BYTES = 24;
/** Entries asked for at once from the filesystem. */
const BATCH = 64;
/** "." and ".." come first, so the filesystem's own cookies follow two later. */
const DOTS = 2;

/** Host calls that list directories. */
export function dirCalls(guest: Guest): HostFunctions {
  return {
    fd_readdir(fd: number, buffer: number, length: number, cookie: bigint, result: number): number {
      const { object } = guest.fds.dir(fd, RIGHT.fdReaddir);
      const into = guest.memory.range(buffer, length);
      guest.memory.setU32(result, fill(guest, object, into, Number(BigInt.asUintN(53, cookie))));
      return WASI.SUCCESS;
    },
  };
}

/** Bytes used: all of `into` when entries are left. */
function fill(guest: Guest, dir: OpenDir, into: Uint8Array, cookie: number): number {
  let used = 0;
  for (const item of items(guest, dir, cookie)) {
    used += put(into, used, item);
    if (used >= into.length) break;
  }
  return used;
}

function* items(guest: Guest, dir: OpenDir, cookie: number): Generator<WireItem> {
  if (cookie < 1) yield { next: 1, ino: dir.ino, name: ".", filetype: FILETYPE.dir };
  if (cookie < DOTS) yield { next: DOTS, ino: parentOf(guest, dir.ino), name: "..", filetype: FILETYPE.dir };
  let after = Math.max(0, cookie - DOTS);
  for (;;) {
    const batch = guest.fs.readdir(dir.handle, after, BATCH);
    for (const item of batch) yield wireItem(item);
    if (batch.length < BATCH) return;
    after = (batch.at(-1) as DirItem).cookie;
  }
}

interface WireItem {
  readonly next: number;
  readonly ino: Ino;
  readonly name: string;
  readonly filetype: number;
}

function wireItem(item: DirItem): WireItem {
  return { next: item.cookie + DOTS, ino: item.ino, name: item.name, filetype: filetypeOf(item.type) };
}

/** A removed directory that is still open has no parent: it names itself. */
function parentOf(guest: Guest, ino: Ino): Ino {
  const parent = guest.fs.lookup(ino, "..");
  return parent < 0 ? ino : mustIno(parent);
}

/** One dirent and its name, as much of it as fits. */
function put(into: Uint8Array, at: number, item: WireItem): number {
  const entry = new Uint8Array(HEADER_BYTES + item.name.length);
  const view = new DataView(entry.buffer);
  view.setBigUint64(0, BigInt(item.next), true);
  view.setBigUint64(8, BigInt(item.ino), true);
  view.setUint32(16, item.name.length, true);
  view.setUint8(20, item.filetype);
  for (let i = 0; i < item.name.length; i++) entry[HEADER_BYTES + i] = item.name.charCodeAt(i);
  const room = Math.min(entry.length, into.length - at);
  into.set(room < entry.length ? entry.subarray(0, room) : entry, at);
  return room;
}
