// Random filesystem operations, played on a DirFs and reported as errno names and results: the same list runs on the engine's
// filesystem in memory and on kernel overlayfs.
import fc from "fast-check";
import { errorCode, fromBytes, type ByteString, type DirFs, type FileHandle } from "@lapstrake/base";

/** One operation, plain so that a failing list can be printed and shrunk. */
export interface Op {
  readonly kind: (typeof KINDS)[number];
  readonly path: ByteString;
  readonly other: ByteString;
  readonly number: number;
  readonly flag: boolean;
}

const KINDS = [
  "create",
  "write",
  "append",
  "truncate",
  "openWrite",
  "read",
  "mkdir",
  "mkdir",
  "create",
  "create",
  "write",
  "rmdir",
  "unlink",
  "unlink",
  "rename",
  "rename",
  "link",
  "symlink",
  "fifo",
  "device",
  "chmod",
  "chown",
  "utimes",
  "setXattr",
  "removeXattr",
  "getXattr",
  "readdir",
  "stat",
  "readlink",
  "hold",
  "holdRead",
  "holdWrite",
  "removeTree",
  "recreate",
] as const;

/** What opening a fifo or a device does is the device's business; directories are not opened as files. */
const OPENING: ReadonlySet<string> = new Set(["create", "write", "append", "openWrite", "truncate", "read", "hold"]);

function isSpecial(fs: DirFs, at: ByteString): boolean {
  const type = fs.stat(at)?.type;
  return type === "fifo" || type === "char" || type === "block" || type === "socket" || type === "dir";
}

const NAMES = ["a", "b", "c", "tomato", "\u00c3\u00bc", `x${"l".repeat(199)}`, "__proto__"];
const XATTRS = ["user.one", "trusted.two", "user.overlay.three", "trusted.overlay.four", "security.five"];

/** Mostly paths that other operations use too, sometimes anything. */
const path: fc.Arbitrary<ByteString> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.constantFrom("a", "b", "c", "a/a", "a/b", "a/c", "b/a", "b/b", "a/b/a", "a/b/b", "b/b/a"),
  },
  { weight: 1, arbitrary: fc.constantFrom(...NAMES) },
  {
    weight: 1,
    arbitrary: fc.array(fc.constantFrom(...NAMES), { minLength: 2, maxLength: 4 }).map((parts) => parts.join("/")),
  },
);

/** What every sequence starts with: something to work on. */
export const GROUND: readonly Op[] = [
  step("mkdir", "a"),
  step("mkdir", "b"),
  step("mkdir", "a/b"),
  step("mkdir", "b/b"),
  step("create", "c"),
  step("create", "a/a"),
  step("create", "a/b/a"),
  step("create", "b/a"),
  step("link", "a/a", "a/c"),
  step("symlink", "a/b/b", "../a"),
];

function step(kind: Op["kind"], at: ByteString, other = ""): Op {
  return { kind, path: at, other, number: 493, flag: false };
}

export const op: fc.Arbitrary<Op> = fc.record({
  kind: fc.constantFrom(...KINDS),
  path,
  other: path,
  number: fc.nat({ max: 100_000 }),
  flag: fc.boolean(),
});

/** Plays operations; the answer of each is a short string. */
export class Player {
  readonly #root: DirFs;
  #held: FileHandle | undefined;

  constructor(root: DirFs) {
    this.#root = root;
  }

  play(step: Op): string {
    try {
      return this.#do(step);
    } catch (error) {
      const code = errorCode(error);
      if (code === undefined) throw error;
      return code;
    }
  }

  #do({ kind, path: at, other, number, flag }: Op): string {
    const fs = this.#root;
    if (OPENING.has(kind) && isSpecial(fs, at)) return "special";
    const bytes = new TextEncoder().encode(`${kind} ${number} `.repeat(1 + (number % 40)));
    switch (kind) {
      case "create":
        return this.#write(at, bytes, 0, {
          write: true,
          create: true,
          exclusive: true,
          mode: 0o600 + (number % 0o200),
        });
      case "write":
        return this.#write(at, bytes, number, { write: true, create: flag });
      case "append":
        return this.#write(at, bytes, 0, { write: true, append: true });
      case "openWrite":
        return this.#write(at, new Uint8Array(0), 0, { write: true, truncate: flag && number % 3 === 0 });
      case "truncate": {
        using file = fs.open(at, { write: true });
        file.truncate(number);
        return "";
      }
      case "read":
        return this.#read(at);
      case "mkdir":
        fs.mkdir(at, 0o700 + (number % 0o100) + (number % 7 === 0 ? 0o2000 : 0));
        return "";
      case "rmdir":
        fs.rmdir(at);
        return "";
      case "unlink":
        fs.unlink(at);
        return "";
      case "rename":
        fs.rename(at, other, { noReplace: flag });
        return "";
      case "link":
        fs.link(at, other);
        return "";
      case "symlink":
        fs.symlink(other, at);
        return "";
      case "fifo":
        fs.mknod(at, "fifo", number & 0o777, 0, 0);
        return "";
      case "device":
        fs.mknod(at, flag ? "char" : "block", number & 0o777, number % 4, number % 3);
        return "";
      case "chmod":
        fs.chmod(at, number & 0o7777);
        return "";
      case "chown":
        fs.chown(at, number % 5, number % 3);
        return "";
      case "utimes":
        fs.utimes(at, { sec: number, nsec: 5 }, { sec: flag ? -number : number * 1000, nsec: number });
        return "";
      case "setXattr":
        fs.setXattr(at, XATTRS[number % XATTRS.length]!, bytes);
        return "";
      case "removeXattr":
        fs.removeXattr(at, XATTRS[number % XATTRS.length]!);
        return "";
      case "getXattr":
        return fromBytes(fs.getXattr(at, XATTRS[number % XATTRS.length]!) ?? new Uint8Array(0));
      case "readdir":
        return fs
          .readdir(at)
          .map(({ name }) => name)
          .toSorted()
          .join(",");
      case "stat":
        return statText(fs, at);
      case "readlink":
        return fs.readlink(at);
      case "hold":
        this.#held?.close();
        this.#held = undefined;
        this.#held = fs.open(at, flag ? { read: true, write: true } : { read: true });
        return "";
      case "holdRead":
        return this.#held === undefined ? "" : readAll(this.#held);
      case "holdWrite":
        this.#held?.write(bytes, 0, bytes.length, number % 1000);
        return "";
      case "removeTree":
        return this.#removeTree(at);
      case "recreate":
        this.#removeTree(at);
        fs.mkdir(at, 0o755);
        return "";
    }
  }

  #write(at: ByteString, bytes: Uint8Array, position: number, options: Parameters<DirFs["open"]>[1]): string {
    using file = this.#root.open(at, options);
    if (bytes.length > 0) file.write(bytes, 0, bytes.length, position);
    return String(file.stat().size);
  }

  #read(at: ByteString): string {
    using file = this.#root.open(at, { read: true });
    return readAll(file);
  }

  #removeTree(at: ByteString): string {
    if (this.#root.stat(at)?.type === "dir") {
      for (const { name } of this.#root.readdir(at)) this.#removeTree(`${at}/${name}`);
      this.#root.rmdir(at);
    } else this.#root.unlink(at);
    return "";
  }

  close(): void {
    this.#held?.close();
  }
}

function statText(fs: DirFs, at: ByteString): string {
  const stat = fs.stat(at);
  if (stat === undefined) return "ENOENT";
  const { type, mode, uid, gid, size, rdevMajor, rdevMinor, nlink } = stat;
  const rest = type === "dir" ? "" : ` ${size} ${nlink}`;
  return `${type} ${mode.toString(8)} ${uid}:${gid} ${rdevMajor},${rdevMinor}${rest}`;
}

function readAll(file: FileHandle): string {
  const bytes = new Uint8Array(file.stat().size);
  let done = 0;
  for (let got = -1; got !== 0 && done < bytes.length; done += got)
    got = file.read(bytes, done, bytes.length - done, done);
  return fromBytes(bytes.subarray(0, done)).replaceAll("\0", ".");
}

/** Every path with its metadata and content, sorted; times only when they were set and not taken from the clock. */
export function canonical(fs: DirFs, startedSec: number, at: ByteString = ""): string[] {
  const out: string[] = [];
  for (const { name } of fs.readdir(at)) {
    const child = at === "" ? name : `${at}/${name}`;
    const stat = fs.stat(child)!;
    const time = stat.mtime.sec >= startedSec ? "now" : `${stat.mtime.sec}.${stat.mtime.nsec}`;
    const xattrs = fs.listXattrs(child).map((key) => `${key}=${fromBytes(fs.getXattr(child, key)!)}`);
    const body = stat.type === "symlink" ? fs.readlink(child) : stat.type === "file" ? content(fs, child) : "";
    out.push([child, statText(fs, child), time, xattrs.toSorted().join(";"), body].join(" | "));
    if (stat.type === "dir") out.push(...canonical(fs, startedSec, child));
  }
  return out.toSorted();
}

function content(fs: DirFs, at: ByteString): string {
  using file = fs.open(at, { read: true });
  return readAll(file);
}
