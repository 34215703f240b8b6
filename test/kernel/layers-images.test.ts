// Real images: loaded, extracted and mounted by the kernel they show the tree that the union filesystem shows; squashed, saved and
// reloaded they stay what they are. LAP_TEST_IMAGES is a folder of OCI layouts; the Debian is made by bench/layers-fixture.ts.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { createReadStream, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ByteString, DirFs } from "@lapstrake/base";
import { openDirFs } from "@lapstrake/core";
import {
  UnionFs,
  dirFsOf,
  openImageStore,
  openSnapshotStore,
  squashImage,
  upperChanges,
  writeUpper,
  type Image,
  type ImageStore,
  type SnapshotStore,
} from "@lapstrake/layers";
import { nodePorts } from "@lapstrake/layers/node";
import { titleUnless } from "../support/facts.ts";

const isRoot = process.getuid?.() === 0;
const images = process.env["LAP_TEST_IMAGES"];
const debian = "/tmp/lap-fixtures/debian.tar";
const layouts = images === undefined ? [] : readdirSync(images).map((name) => join(images, name));
const archives = existsSync(debian) ? [debian] : [];

let base = "";
let root: DirFs;
let store: ImageStore;
let snapshots: SnapshotStore;

beforeAll(() => {
  if (!isRoot) return;
  base = mkdtempSync(join(tmpdir(), "lap-images-"));
  execFileSync("mount", ["-t", "tmpfs", "-o", "mode=755", "lap-test", base]);
  for (const name of ["images", "layers", "upper", "work", "merged", "again"]) mkdirSync(join(base, name));
  root = openDirFs(base);
  store = openImageStore(root.openDir("images"), nodePorts);
  snapshots = openSnapshotStore(root.openDir("layers"), store, nodePorts);
});

afterAll(() => {
  if (!isRoot) return;
  root.close();
  execFileSync("umount", ["-l", base]);
  rmSync(base, { recursive: true });
});

async function load(path: string): Promise<Image> {
  if (path.endsWith(".tar")) {
    const [loaded] = await store.load({ kind: "stream", stream: createReadStream(path) }, { unpack: snapshots });
    return store.resolve(loaded!.id);
  }
  using dir = openDirFs(path);
  const [loaded] = await store.load({ kind: "dir", dir });
  return store.resolve(loaded!.id);
}

/** Every path with everything an image says about it; contents as hashes. */
function listing(fs: DirFs, at: ByteString = ""): string[] {
  return fs.readdir(at).flatMap(({ name }) => {
    const path = at === "" ? name : `${at}/${name}`;
    const stat = fs.stat(path)!;
    const { type, mode, uid, gid, size, rdevMajor, rdevMinor, mtime } = stat;
    const body = type === "symlink" ? fs.readlink(path) : type === "file" ? hash(fs, path, size) : "";
    const xattrs = fs.listXattrs(path).map((key) => `${key}=${Buffer.from(fs.getXattr(path, key)!).toString("hex")}`);
    const time = `${mtime.sec}.${mtime.nsec}`;
    const line = [
      path,
      type,
      mode,
      uid,
      gid,
      type === "dir" ? 0 : size,
      rdevMajor,
      rdevMinor,
      time,
      xattrs.toSorted().join(),
      body,
    ];
    return [line.join("|"), ...(type === "dir" ? listing(fs, path) : [])];
  });
}

function hash(fs: DirFs, path: ByteString, size: number): string {
  using file = fs.open(path, { read: true });
  const bytes = new Uint8Array(size);
  for (let done = 0, got = -1; got !== 0 && done < size; done += got) got = file.read(bytes, done, size - done, done);
  return createHash("sha256").update(bytes).digest("hex").slice(0, 16);
}

function mounted<T>(lowerdirs: readonly string[], use: (merged: DirFs) => T): T {
  const lower = lowerdirs.map((name) => join(base, "layers", name)).join(":");
  // A single lower needs a second one, or an upper.
  const options = `lowerdir=${lower},upperdir=${base}/upper,workdir=${base}/work,redirect_dir=off,index=off,metacopy=off`;
  execFileSync("mount", ["-t", "overlay", "-o", options, "overlay", join(base, "merged")]);
  const merged = openDirFs(join(base, "merged"));
  try {
    return use(merged);
  } finally {
    merged.close();
    execFileSync("umount", [join(base, "merged")]);
  }
}

describe.skipIf(!isRoot || layouts.length + archives.length === 0)(
  titleUnless(!isRoot || layouts.length + archives.length === 0, "root, images in env:LAP_TEST_IMAGES", "real images"),
  () => {
    it.each([...layouts, ...archives])(
      "%s: both sandboxes see the same tree; squash, save and reload keep it",
      async (path) => {
        const image = await load(path);
        const inMemory = listing(dirFsOf(UnionFs.create(await store.loadTrees(image)))).toSorted();
        const lowerdirs = await snapshots.ensure(image);
        expect(mounted(lowerdirs, (merged) => listing(merged).toSorted())).toEqual(inMemory);

        const squashed = await squashImage(store, image);
        expect(squashed.layers).toHaveLength(1);
        const flat = UnionFs.create(await store.loadTrees(squashed));
        expect(listing(dirFsOf(flat)).toSorted()).toEqual(inMemory);

        const other = openImageStore(root.openDir("again"), nodePorts);
        const [reloaded] = await other.load({ kind: "stream", stream: store.save([image.id]) });
        expect(reloaded).toMatchObject({ id: image.id, target: image.target });
        expect(await other.check()).toEqual([]);
      },
      240_000,
    );

    it("what a program changed in memory is an upper that the kernel shows", async () => {
      const image = await load([...layouts, ...archives][0]!);
      const fs = UnionFs.create(await store.loadTrees(image));
      const [first] = fs.readdir(fs.opendir(fs.root), 0, 1);
      fs.rename(fs.root, first!.name, fs.root, "moved", 0);
      fs.mkdir(fs.root, first!.name, 0o700);
      fs.symlink(fs.root, "link", "moved");
      using upper = root.openDir("upper");
      writeUpper(fs, upper);
      const lowerdirs = await snapshots.ensure(image);
      const want = listing(dirFsOf(fs)).toSorted();
      expect(mounted(lowerdirs, (merged) => listing(merged).toSorted())).toEqual(want);
      const lowers = lowerdirs.map((name) => openDirFs(join(base, "layers", name)));
      expect(upperChanges(upper, lowers)).toEqual(fs.changes());
      for (const dir of lowers) dir.close();
    }, 60_000);
  },
);
