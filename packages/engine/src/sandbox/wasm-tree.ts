// Small filesystems made in memory for Wasm containers.
import { toByteString, type ByteString } from "@lapstrake/base";
import { OPEN, UnionFs, type Ino, type LayerTree } from "@lapstrake/layers";

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
