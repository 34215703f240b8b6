// node:fs over a filesystem in memory, the synchronous calls: what tests and tools take instead of node:fs or memfs. Paths are absolute
// or relative to "/"; nothing outside the filesystem can be reached. Access is not checked: the caller is root.
import { ERRNO, fromByteString, fsError } from "@lapstrake/base";
import type { Attr, Ino } from "../fs/inode-fs.ts";
import { FileFacade } from "./files.ts";
import { bytesOf, textOf, type PathLike, type Time } from "./paths.ts";
import { Dirent } from "./stats.ts";

/** All synchronous calls: those on files, and those on names and directories. */
export class SyncFacade extends FileFacade {
  readdirSync(path: PathLike, options: { readonly withFileTypes: true; readonly recursive?: boolean }): Dirent[];
  readdirSync(path: PathLike, options?: { readonly withFileTypes?: false; readonly recursive?: boolean }): string[];
  readdirSync(
    path: PathLike,
    options: { readonly withFileTypes?: boolean; readonly recursive?: boolean } = {},
  ): string[] | Dirent[] {
    const entries = this.#entries(textOf(path).replace(/(?<=.)\/+$/, ""), options.recursive === true);
    if (options.withFileTypes === true) return entries;
    const base = textOf(path).replace(/\/*$/, "/");
    return entries.map(({ parentPath, name }) => `${parentPath}/`.replace(/\/+$/, "/").slice(base.length) + name);
  }

  #entries(path: string, recursive: boolean): Dirent[] {
    const items = this.call("scandir", path, () => {
      const handle = this.fs.opendir(this.ino(path));
      try {
        return this.fs.readdir(handle, 0, Number.MAX_SAFE_INTEGER);
      } finally {
        this.fs.close(handle);
      }
    });
    return items.flatMap((item) => {
      const entry = new Dirent(item, path);
      const below =
        recursive && entry.isDirectory() ? this.#entries(`${path === "/" ? "" : path}/${entry.name}`, true) : [];
      return [entry, ...below];
    });
  }

  mkdirSync(
    path: PathLike,
    options: number | { readonly recursive?: boolean; readonly mode?: number } = {},
  ): string | undefined {
    const { recursive = false, mode = 0o777 } = typeof options === "number" ? { mode: options } : options;
    return this.call("mkdir", path, () => {
      if (recursive) return this.#mkdirs(textOf(path), mode);
      const { dir, name, ino } = this.place(path, false);
      if (ino !== 0) throw fsError(ERRNO.EEXIST);
      this.fs.mkdir(dir, name, mode);
      return undefined;
    });
  }

  #mkdirs(path: string, mode: number): string | undefined {
    let first: string | undefined;
    const parts = path.split("/").filter((part) => part !== "");
    for (let i = 1; i <= parts.length; i++) {
      const at = `/${parts.slice(0, i).join("/")}`;
      const { dir, name, ino } = this.place(at);
      if (ino === 0) {
        this.fs.mkdir(dir, name, mode);
        first ??= at;
      } else if (this.fs.getattr(ino).type !== "dir") throw fsError(i === parts.length ? ERRNO.EEXIST : ERRNO.ENOTDIR);
    }
    return first;
  }

  rmSync(path: PathLike, options: { readonly recursive?: boolean; readonly force?: boolean } = {}): void {
    this.call("rm", path, () => {
      const { dir, name, ino } = this.place(path, false);
      if (ino === 0) {
        if (options.force === true) return;
        throw fsError(ERRNO.ENOENT);
      }
      if (this.fs.getattr(ino).type === "dir" && options.recursive !== true) throw fsError(ERRNO.EISDIR);
      this.#removeTree(dir, name, ino);
    });
  }

  #removeTree(dir: Ino, name: string, ino: Ino): void {
    if (this.fs.getattr(ino).type !== "dir") {
      this.fs.unlink(dir, name);
      return;
    }
    const handle = this.fs.opendir(ino);
    const items = this.fs.readdir(handle, 0, Number.MAX_SAFE_INTEGER);
    this.fs.close(handle);
    for (const item of items) this.#removeTree(ino, item.name, item.ino);
    this.fs.rmdir(dir, name);
  }

  rmdirSync(path: PathLike): void {
    this.call("rmdir", path, () => {
      const { dir, name } = this.place(path, false);
      this.fs.rmdir(dir, name);
    });
  }

  unlinkSync(path: PathLike): void {
    this.call("unlink", path, () => {
      const { dir, name } = this.place(path, false);
      this.fs.unlink(dir, name);
    });
  }

  renameSync(from: PathLike, to: PathLike): void {
    this.call(
      "rename",
      from,
      () => {
        const [source, target] = [this.place(from, false), this.place(to, false)];
        this.fs.rename(source.dir, source.name, target.dir, target.name, 0);
      },
      to,
    );
  }

  linkSync(existing: PathLike, path: PathLike): void {
    this.call(
      "link",
      existing,
      () => {
        const ino = this.ino(existing, false);
        const { dir, name } = this.place(path, false);
        this.fs.link(ino, dir, name);
      },
      path,
    );
  }

  symlinkSync(target: PathLike, path: PathLike): void {
    this.call(
      "symlink",
      target,
      () => {
        const { dir, name } = this.place(path, false);
        this.fs.symlink(dir, name, bytesOf(target));
      },
      path,
    );
  }

  readlinkSync(path: PathLike): string {
    return this.call("readlink", path, () => fromByteString(this.fs.readlink(this.ino(path, false))));
  }

  realpathSync(path: PathLike): string {
    return this.call("realpath", path, () => {
      const place = this.place(path);
      if (place.ino === 0) throw fsError(ERRNO.ENOENT);
      let { dir, name } = place;
      if (name === ".") [name, dir] = this.#nameOf(dir);
      const parts: string[] = name === "" ? [] : [fromByteString(name)];
      while (dir !== this.fs.root) {
        [name, dir] = this.#nameOf(dir);
        parts.unshift(fromByteString(name));
      }
      return `/${parts.join("/")}`;
    });
  }

  /** Name and parent of a directory; "" for the root. */
  #nameOf(dir: Ino): [string, Ino] {
    const parent = this.fs.lookup(dir, "..");
    if (parent === dir) return ["", dir];
    const handle = this.fs.opendir(parent);
    const found = this.fs.readdir(handle, 0, Number.MAX_SAFE_INTEGER).find(({ ino }) => ino === dir);
    this.fs.close(handle);
    return [found?.name ?? "", parent];
  }

  chmodSync(path: PathLike, mode: number): void {
    this.#set("chmod", path, { mode });
  }

  chownSync(path: PathLike, uid: number, gid: number): void {
    this.#set("chown", path, { uid, gid });
  }

  lchownSync(path: PathLike, uid: number, gid: number): void {
    this.#set("lchown", path, { uid, gid }, false);
  }

  utimesSync(path: PathLike, atime: Time, mtime: Time): void {
    this.#set("utime", path, times(atime, mtime));
  }

  lutimesSync(path: PathLike, atime: Time, mtime: Time): void {
    this.#set("lutime", path, times(atime, mtime), false);
  }

  #set(syscall: string, path: PathLike, change: Partial<Attr>, follow = true): void {
    this.call(syscall, path, () => this.fs.setattr(this.ino(path, follow), change));
  }

  mkdtempSync(prefix: string): string {
    const tail = [...crypto.getRandomValues(new Uint8Array(4))]
      .map((byte) => byte.toString(16).padStart(2, "0"))
      .join("");
    this.mkdirSync(prefix + tail, 0o700);
    return prefix + tail;
  }
}

function times(atime: Time, mtime: Time): Partial<Attr> {
  const [a, m] = [split(atime), split(mtime)];
  return { atimeSec: a.sec, atimeNsec: a.nsec, mtimeSec: m.sec, mtimeNsec: m.nsec };
}

function split(time: Time): { sec: number; nsec: number } {
  const seconds = typeof time === "number" ? time : time.getTime() / 1000;
  const sec = Math.floor(seconds);
  return { sec, nsec: Math.round((seconds - sec) * 1e9) };
}
