// A Debian of eleven layers for tests and benchmarks: debootstrap, then ten layers with all that layers have (whiteouts, opaque
// directories, hard links, xattrs, devices, setuid, odd names). Made once, kept under the temporary directory, never in the repository.
import { execFileSync } from "node:child_process";
import { createReadStream, createWriteStream, existsSync, mkdirSync, renameSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { toByteString } from "@lapstrake/base";
import { openDirFs } from "@lapstrake/core";
import {
  BytesContent,
  LayerBuilder,
  OPEN,
  TreeNode,
  UnionFs,
  layerTar,
  openImageStore,
  readUpper,
  resolvePath,
  treeFromTar,
  type Image,
  type ImageStore,
  type Ino,
  type LayerTree,
} from "@lapstrake/layers";
import { nodePorts } from "@lapstrake/layers/node";

const CACHE = join(tmpdir(), "lap-fixtures");

/** Folder with `store/` (an image store with `debian:layers`), `debian.tar` (the same as an archive) and its base layer with PAX headers (`base.tar`) and without (`plain.tar`). Takes minutes the first time. */
export async function debianFixture(): Promise<string> {
  const done = join(CACHE, "debian.tar");
  if (existsSync(done)) return CACHE;
  mkdirSync(join(CACHE, "store"), { recursive: true });
  const root = join(CACHE, "debian");
  if (!existsSync(join(root, "etc", "passwd")))
    execFileSync("debootstrap", ["--variant=minbase", "bookworm", root], { stdio: "ignore" });
  const tar = join(CACHE, "base.tar");
  execFileSync("tar", ["--xattrs", "--numeric-owner", "--sort=name", "--one-file-system", "-cf", tar, "-C", root, "."]);
  execFileSync("tar", [
    "--numeric-owner",
    "--sort=name",
    "--format=gnu",
    "-cf",
    join(CACHE, "plain.tar"),
    "-C",
    root,
    ".",
  ]);
  using dir = openDirFs(join(CACHE, "store"));
  const store = openImageStore(dir, nodePorts);
  const image = await layersOnTop(store, tar);
  store.tag(image.id, "debian:layers");
  await pipeline(Readable.from(store.save(["debian:layers"])), createWriteStream(`${done}.new`));
  renameSync(`${done}.new`, done);
  return CACHE;
}

async function layersOnTop(store: ImageStore, tar: string): Promise<Image> {
  const created = "2026-01-01T00:00:00Z";
  const base = await store.commit({ layer: createReadStream(tar, { highWaterMark: 1 << 20 }), level: 6, created });
  const { readFileSync } = await import("node:fs");
  const fs = UnionFs.create([treeFromTar(readFileSync(tar))], {
    now: () => ({ sec: 1_700_000_000, nsec: 123_456_789 }),
  });
  let image = base;
  for (const step of STEPS) {
    step(fs);
    image = await store.commit({ base: image, layer: layerTar(fs.freeze()), level: 6, created });
  }
  return image;
}

type Step = (fs: UnionFs) => void;

const STEPS: readonly Step[] = [
  (fs) => graft(fs, "/usr/lib/python3", "/opt/python"),
  (fs) => remove(fs, "/usr/share/doc"),
  (fs) => {
    for (const path of ["/etc/apt", "/usr/share/bash-completion", "/var/cache"]) {
      remove(fs, path);
      mkdirs(fs, `${path}/again`);
    }
  },
  (fs) => graft(fs, "/usr/lib/gcc", "/opt/gcc"),
  links,
  odd,
  (fs) => graft(fs, "/usr/share/perl", "/opt/perl"),
  (fs) => graft(fs, "/usr/lib/git-core", "/opt/git-core"),
  (fs) => {
    remove(fs, "/opt/perl");
    for (let i = 0; i < 300; i++) write(fs, `/srv/data/${i % 10}/file-${i}`, `content ${i}\n`.repeat(200));
  },
  (fs) => write(fs, "/etc/motd", "eleven layers\n"),
];

/** A folder of this machine as part of the tree. */
function graft(fs: UnionFs, from: string, to: string): void {
  if (!existsSync(from)) {
    for (let i = 0; i < 200; i++) write(fs, `${to}/filler-${i}`, `${from} ${i} `.repeat(20_000));
    return;
  }
  const builder = new LayerBuilder();
  const dir = openDirFs(from);
  copy(readUpper(dir), toByteString(to), builder);
  fs.adopt(builder.finish());
}

function copy(tree: LayerTree, to: string, builder: LayerBuilder): void {
  const walk = (node: TreeNode, path: string): void => {
    builder.add(path, node.type === "dir" ? new TreeNode(node) : node);
    for (const [name, child] of node.children ?? []) if (child instanceof TreeNode) walk(child, `${path}/${name}`);
  };
  walk(tree.root, to);
}

function at(fs: UnionFs, path: string): { dir: Ino; name: string; ino: Ino } {
  const found = resolvePath(fs, fs.root, toByteString(path), { followLast: false });
  if (typeof found === "number") throw new Error(`${path}: ${found}`);
  return found;
}

function remove(fs: UnionFs, path: string): void {
  const { dir, name, ino } = at(fs, path);
  if (ino === 0) return;
  if (fs.getattr(ino).type !== "dir") {
    fs.unlink(dir, name);
    return;
  }
  const handle = fs.opendir(ino);
  for (const item of fs.readdir(handle, 0, 1e9)) remove(fs, `${path}/${Buffer.from(item.name, "latin1").toString()}`);
  fs.close(handle);
  fs.rmdir(dir, name);
}

function mkdirs(fs: UnionFs, path: string): void {
  const parts = path.split("/").slice(1);
  for (let i = 1; i <= parts.length; i++) {
    const { dir, name, ino } = at(fs, `/${parts.slice(0, i).join("/")}`);
    if (ino === 0) fs.mkdir(dir, name, 0o755);
  }
}

function write(fs: UnionFs, path: string, text: string): void {
  mkdirs(fs, path.slice(0, path.lastIndexOf("/")));
  const { dir, name, ino } = at(fs, path);
  const handle = ino > 0 ? fs.open(ino, OPEN.write | OPEN.truncate) : fs.create(dir, name, 0o644, OPEN.write).handle;
  const bytes = new BytesContent(new TextEncoder().encode(text)).bytes;
  fs.write(handle, bytes, 0, bytes.length, 0);
  fs.close(handle);
}

function links(fs: UnionFs): void {
  mkdirs(fs, "/opt/links");
  const { ino } = at(fs, "/usr/bin/dpkg");
  for (let i = 0; i < 20; i++) fs.link(ino, at(fs, "/opt/links").ino, `dpkg-${i}`);
  fs.rename(at(fs, "/opt/gcc").dir, "gcc", at(fs, "/opt").ino, "compiler", 0);
}

function odd(fs: UnionFs): void {
  mkdirs(fs, `/opt/${"deep-directory-name/".repeat(15)}end`);
  write(fs, "/opt/ünïcödé/名前", "names");
  const dir = at(fs, "/opt").ino;
  fs.mknod(dir, "null", "char", 0o666, 1, 3);
  fs.mknod(dir, "loop", "block", 0o660, 7, 0);
  fs.mknod(dir, "pipe", "fifo", 0o600, 0, 0);
  write(fs, "/opt/suid", "#!/bin/sh\n");
  const { ino } = at(fs, "/opt/suid");
  fs.setattr(ino, { mode: 0o6755, uid: 3_000_000, gid: 65_534, mtimeSec: -5, mtimeNsec: 7 });
  fs.setXattr(
    ino,
    "security.capability",
    new Uint8Array([1, 0, 0, 2, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
    0,
  );
  fs.setXattr(ino, "user.note", new Uint8Array([0, 255, 128]), 0);
}

if (process.argv[1] === import.meta.filename) console.log(await debianFixture());
