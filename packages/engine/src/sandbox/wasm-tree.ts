// Small filesystems made in memory for Wasm containers.
import { toByteString, type ByteString } from "@lapstrake/base";
import { OPEN, UnionFs, resolvePath, type Ino, type LayerTree } from "@lapstrake/layers";

/** A layer that holds one file at the root. */
export function moduleTree(name: ByteString, bytes: Uint8Array): LayerTree {
  const fs = UnionFs.create([]);
  const { handle } = fs.create(fs.root, name, 0o755, OPEN.write);
  for (let done = 0; done < bytes.length;) done += fs.write(handle, bytes, done, bytes.length - done, done);
  fs.close(handle);
  return fs.freeze();
}

/** mkdir -p of an absolute path, as docker makes a missing working directory. */
export function makeDirs(fs: UnionFs, path: string): void {
  let at: Ino = fs.root;
  for (const name of path.split("/").filter((part) => part !== "" && part !== ".")) {
    const found = fs.lookup(at, toByteString(name));
    at = found > 0 ? found : fs.mkdir(at, toByteString(name), 0o755);
  }
}

/** An empty file at an absolute path, where there is nothing yet; its directories too. */
export function makeFile(fs: UnionFs, path: string): void {
  const at = path.lastIndexOf("/");
  makeDirs(fs, path.slice(0, at));
  const found = resolvePath(fs, fs.root, toByteString(path));
  if (typeof found !== "number" && found.ino !== 0) return;
  const dir = resolvePath(fs, fs.root, toByteString(path.slice(0, at) || "/"));
  if (typeof dir === "number" || dir.ino === 0) return; // mounting says what is wrong with it
  fs.close(fs.create(dir.ino, toByteString(path.slice(at + 1)), 0o644, OPEN.write).handle);
}
