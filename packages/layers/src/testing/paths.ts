// Test helper: a union filesystem by path, the way a person would write it.
import { fromByteString, toByteString, type ByteString } from "@lapstrake/base";
import { OPEN, type InodeFs, type Ino } from "../fs/inode-fs.ts";
import { resolvePath } from "../fs/resolve-path.ts";

/** The inode of a path, not following the last link; throws when it does not exist. */
export function at(fs: InodeFs, path: string): Ino {
  const found = resolvePath(fs, fs.root, toByteString(path), { followLast: false });
  if (typeof found === "number" || found.ino === 0) throw new Error(`ENOENT ${path}`);
  return found.ino;
}

export function exists(fs: InodeFs, path: string): boolean {
  const found = resolvePath(fs, fs.root, toByteString(path), { followLast: false });
  return typeof found !== "number" && found.ino > 0;
}

/** Directory inode and last name of a path. */
export function split(fs: InodeFs, path: string): [Ino, ByteString] {
  const found = resolvePath(fs, fs.root, toByteString(path), { followLast: false });
  if (typeof found === "number") throw new Error(`errno ${found} ${path}`);
  return [found.dir, found.name];
}

export function readText(fs: InodeFs, path: string): string {
  const found = resolvePath(fs, fs.root, toByteString(path));
  if (typeof found === "number") throw new Error(`errno ${found} ${path}`);
  const handle = fs.open(found.ino, OPEN.read);
  const bytes = new Uint8Array(fs.getattr(found.ino).size);
  fs.read(handle, bytes, 0, bytes.length, 0);
  fs.close(handle);
  return new TextDecoder().decode(bytes);
}

export function writeText(fs: InodeFs, path: string, text: string): void {
  const bytes = new TextEncoder().encode(text);
  const [dir, name] = split(fs, path);
  const ino = fs.lookup(dir, name);
  const handle = ino > 0 ? fs.open(ino, OPEN.write | OPEN.truncate) : fs.create(dir, name, 0o644, OPEN.write).handle;
  fs.write(handle, bytes, 0, bytes.length, 0);
  fs.close(handle);
}

export function list(fs: InodeFs, path: string): string[] {
  const handle = fs.opendir(at(fs, path));
  const names = fs.readdir(handle, 0, 1e6).map(({ name }) => fromByteString(name));
  fs.close(handle);
  return names;
}

/** Every path of the tree, directories with a slash, links with their target, files with their text. */
export function dump(fs: InodeFs, path = "/"): string[] {
  return list(fs, path).flatMap((name) => {
    const child = path === "/" ? `/${name}` : `${path}/${name}`;
    const { type } = fs.getattr(at(fs, child));
    if (type === "dir") return [`${child}/`, ...dump(fs, child)];
    if (type === "symlink") return [`${child} -> ${fromByteString(fs.readlink(at(fs, child)))}`];
    return [type === "file" ? `${child}: ${readText(fs, child)}` : `${child} (${type})`];
  });
}
