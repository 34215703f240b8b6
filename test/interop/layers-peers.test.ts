// What we write, read by others: umoci unpacks our layers to the tree we show, skopeo copies our archives, GNU tar and bsdtar read
// our tar, and we read theirs. Each case skips by the name of the program that is missing.
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { toByteString, type DirFs } from "@lapstrake/base";
import { openDirFs } from "@lapstrake/core";
import {
  BytesContent,
  LayerBuilder,
  OPEN,
  TreeNode,
  UnionFs,
  contentBytes,
  dirFsOf,
  layerTar,
  openImageStore,
  parseTar,
  treeEntries,
  treeFromTar,
  writeTar,
  type Image,
  type ImageStore,
  type LayerTree,
} from "@lapstrake/layers";
import { openMemDir } from "@lapstrake/layers/memfs";
import { nodePorts } from "@lapstrake/layers/node";
import { titleUnless } from "../support/facts.ts";

const isRoot = process.getuid?.() === 0;
const has = (program: string): boolean => {
  try {
    execFileSync("sh", ["-c", `command -v ${program}`], { stdio: "ignore" });
    return true;
  } catch (error) {
    if ((error as { status?: number }).status === undefined) throw error;
    return false;
  }
};

let base = "";
beforeAll(() => {
  base = mkdtempSync(join(tmpdir(), "lap-peers-"));
});
afterAll(() => rmSync(base, { recursive: true, force: true }));

function lower(): LayerTree {
  const builder = new LayerBuilder();
  const file = (path: string, text: string, init: Partial<ConstructorParameters<typeof TreeNode>[0]> = {}): void => {
    const content = new BytesContent(new TextEncoder().encode(text));
    builder.add(
      toByteString(path),
      new TreeNode({ type: "file", mode: 0o644, mtimeSec: 1_600_000_000, content, ...init }),
    );
  };
  builder.add(
    "dir",
    new TreeNode({ type: "dir", mode: 0o750, uid: 5, gid: 6, mtimeSec: 1_500_000_000, mtimeNsec: 123_456_789 }),
  );
  for (const path of ["gone", "remade", "ünïcödé", "long", `long/${"n".repeat(200)}`]) {
    builder.add(toByteString(path), new TreeNode({ type: "dir", mode: 0o755, mtimeSec: 1_550_000_000 }));
  }
  file("dir/file", "hello");
  file("dir/old", "before 1970", { mtimeSec: -5, mtimeNsec: 500_000_000 });
  file("dir/suid", "#!", { mode: 0o4755, uid: 3_000_000, xattrs: new Map([["user.note", new Uint8Array([0, 255])]]) });
  file("gone/a", "1");
  file("remade/old", "1");
  file("ünïcödé/名前", "text");
  file(`long/${"n".repeat(200)}/${"m".repeat(120)}`, "deep");
  builder.link("dir/hard", "dir/file");
  builder.add("link", new TreeNode({ type: "symlink", mode: 0o777, target: "dir/file", mtimeSec: 1_600_000_000 }));
  builder.add("pipe", new TreeNode({ type: "fifo", mode: 0o600, mtimeSec: 1_600_000_000 }));
  builder.add("null", new TreeNode({ type: "char", mode: 0o666, rdevMajor: 1, rdevMinor: 3, mtimeSec: 1_600_000_000 }));
  return builder.finish();
}

/** A second layer with whiteouts, an opaque directory and a changed file. */
function changed(): { layer: LayerTree; shown: UnionFs } {
  const fs = UnionFs.create([lower()], { now: () => ({ sec: 1_650_000_000, nsec: 0 }) });
  const child = (dir: number, name: string): number => fs.lookup(dir, name);
  fs.unlink(child(fs.root, "gone"), "a");
  fs.rmdir(fs.root, "gone");
  fs.unlink(child(fs.root, "remade"), "old");
  fs.rmdir(fs.root, "remade");
  fs.mkdir(fs.root, "remade", 0o755);
  const handle = fs.open(child(child(fs.root, "dir"), "file"), OPEN.write);
  fs.write(handle, new TextEncoder().encode("HELLO"), 0, 5, 0);
  fs.close(handle);
  return { layer: fs.upperTree(), shown: fs };
}

async function makeImage(store: ImageStore, compression: "gzip" | "zstd" | "none"): Promise<Image> {
  const first = await store.commit({ layer: layerTar(lower()), compression });
  const image = await store.commit({
    base: first,
    layer: layerTar(changed().layer),
    compression,
    config: { Cmd: ["/bin/sh"] },
  });
  store.tag(image.id, "peers:1");
  return image;
}

async function archive(compression: "gzip" | "zstd" | "none" = "gzip"): Promise<{ path: string; image: Image }> {
  const store = openImageStore(openMemDir(), nodePorts);
  const image = await makeImage(store, compression);
  const path = join(base, `${compression}.tar`);
  const chunks: Uint8Array[] = [];
  for await (const chunk of store.save(["peers:1"])) chunks.push(chunk);
  writeFileSync(path, Buffer.concat(chunks));
  return { path, image };
}

function listing(fs: DirFs, at = ""): string[] {
  return fs
    .readdir(at)
    .flatMap(({ name }) => {
      const path = at === "" ? name : `${at}/${name}`;
      const { type, mode, uid, gid, size, rdevMajor, rdevMinor, nlink, mtime } = fs.stat(path)!;
      const own = type === "dir" ? [] : [size, nlink];
      const xattrs = fs.listXattrs(path).filter((key) => key.startsWith("user."));
      const line = [path, type, mode, uid, gid, ...own, rdevMajor, rdevMinor, mtime.sec, mtime.nsec, ...xattrs].join(
        "|",
      );
      return [line, ...(type === "dir" ? listing(fs, path) : [])];
    })
    .toSorted();
}

describe.skipIf(!has("umoci") || !isRoot)(titleUnless(!has("umoci") || !isRoot, "root, command:umoci", "umoci"), () => {
  it("unpacks our image to the tree that we show", async () => {
    const { path } = await archive();
    const layout = join(base, "layout");
    mkdirSync(layout);
    execFileSync("tar", ["xf", path, "-C", layout]);
    execFileSync("umoci", ["unpack", "--image", `${layout}:1`, join(base, "bundle")], { stdio: "pipe" });
    using rootfs = openDirFs(join(base, "bundle", "rootfs"));
    expect(listing(rootfs)).toEqual(listing(dirFsOf(changed().shown)));
  });
});

describe.skipIf(!has("skopeo"))(titleUnless(!has("skopeo"), "command:skopeo", "skopeo"), () => {
  it.each(["gzip", "zstd", "none"] as const)(
    "reads our archives as docker's and as OCI, %s layers",
    async (compression) => {
      const { path, image } = await archive(compression);
      for (const transport of ["docker-archive", "oci-archive"]) {
        // Old releases refuse zstd in docker archives; the OCI form they take.
        if (compression === "zstd" && transport === "docker-archive") continue;
        const text = execFileSync("skopeo", ["inspect", "--config", `${transport}:${path}`], {
          encoding: "utf8",
          stdio: "pipe",
        });
        expect(JSON.parse(text)).toMatchObject({ rootfs: { diff_ids: image.config.rootfs.diff_ids } });
        const copy = join(base, `copy-${transport}-${compression}`);
        execFileSync("skopeo", ["copy", `${transport}:${path}`, `oci:${copy}:peers-1`], { stdio: "pipe" });
        const store = openImageStore(openMemDir(), nodePorts);
        using dir = openDirFs(copy);
        const [loaded] = await store.load({ kind: "dir", dir });
        expect(store.resolve(loaded!.id).layers.map(({ diffID }) => diffID)).toEqual(image.config.rootfs.diff_ids);
      }
    },
  );
});

const TARS = ["tar", "bsdtar"].filter(has);

describe.skipIf(!isRoot).each(TARS)(titleUnless(!isRoot, "root", "%s"), (program) => {
  it("extracts what we wrote", () => {
    const out = mkdtempSync(join(base, "out-"));
    const tar = join(base, `${program}-ours.tar`);
    writeFileSync(tar, Buffer.concat([...writeTar(treeEntries(lower()))]));
    const xattrs = program === "tar" ? ["--xattrs", "--xattrs-include=*"] : [];
    execFileSync(program, ["-x", "-p", ...xattrs, "--numeric-owner", "-f", tar, "-C", out]);
    using dir = openDirFs(out);
    // bsdtar sets no times on links, and reads "-4.5" as -4 and a half later.
    const left = program === "bsdtar" ? /^(?:link\||dir\/old)/ : /^link\|/;
    const lines = (fs: DirFs): string[] => listing(fs).filter((line) => !left.test(line));
    expect(lines(dir)).toEqual(lines(dirFsOf(UnionFs.create([lower()]))));
  });

  const formats =
    program === "tar" ? ["gnu", "oldgnu", "pax", "posix", "ustar", "v7"] : ["gnutar", "pax", "ustar", "v7"];
  it.each(formats)("writes %s archives that we read back", (format) => {
    const from = mkdtempSync(join(base, "from-"));
    const long = join(from, "d".repeat(90), "e".repeat(60));
    const rich = format !== "v7";
    mkdirSync(rich ? long : join(from, "d"), { recursive: true });
    writeFileSync(join(from, "a"), "data\n".repeat(1000));
    if (rich) writeFileSync(join(long, "f"), "deep");
    execFileSync("ln", [join(from, "a"), join(from, "hard")]);
    execFileSync("ln", ["-s", "a", join(from, "soft")]);
    if (rich) execFileSync("mknod", [join(from, "dev"), "b", "259", "7"]);
    execFileSync("touch", ["-d", "2001-02-03T04:05:06Z", join(from, "a")]);
    const tar = join(base, `${program}-${format}.tar`);
    execFileSync(program, ["-c", `--format=${format}`, "-f", tar, "-C", from, "."]);
    const shown = listing(dirFsOf(UnionFs.create([treeFromTar(readFileSync(tar))])));
    using dir = openDirFs(from);
    const coarse = (lines: string[]): string[] => lines.map((line) => line.replace(/\|\d+$/, ""));
    expect(coarse(shown)).toEqual(coarse(listing(dir)));
  });

  it("writes sparse files that we expand", () => {
    const from = mkdtempSync(join(base, "sparse-"));
    const path = join(from, "s");
    execFileSync(
      "sh",
      [
        "-c",
        `printf start > ${path}; for i in 1 2 3 4 5 6 7; do printf data$i | dd of=${path} bs=1M seek=$i conv=notrunc; done; truncate -s 9M ${path}`,
      ],
      { stdio: "ignore" },
    );
    const want = readFileSync(path);
    const variants =
      program === "tar"
        ? ["--format=gnu", "--format=oldgnu", "--sparse-version=0.0", "--sparse-version=0.1", "--sparse-version=1.0"]
        : ["--format=pax"];
    for (const variant of variants) {
      const tar = join(base, "sparse.tar");
      const extra = variant.startsWith("--sparse") ? ["--format=posix"] : [];
      execFileSync(program, ["-c", "-S", ...extra, variant, "-f", tar, "-C", from, "s"]);
      const bytes = readFileSync(tar);
      if (program === "tar") expect(bytes.length).toBeLessThan(200_000);
      const members: string[] = [];
      parseTar(bytes, {
        member: ({ path: name, size }) => void members.push(`${name} ${size}`),
        data: () => undefined,
        end: () => undefined,
      });
      expect(members).toEqual([`s ${want.length}`]);
      const node = treeFromTar(bytes).root.children!.get("s") as TreeNode;
      expect(Buffer.compare(contentBytes(node.content!), want)).toBe(0);
    }
  });

  it("writes extended attributes that we read as bytes", () => {
    const from = mkdtempSync(join(base, "xattr-"));
    writeFileSync(join(from, "x"), "");
    using dir = openDirFs(from);
    dir.setXattr("x", "user.bytes", new Uint8Array([0, 1, 255, 10, 61]));
    const tar = join(base, "xattr.tar");
    const options = program === "tar" ? ["--xattrs", "--format=posix"] : ["--format=pax", "--xattrs"];
    execFileSync(program, ["-c", ...options, "-f", tar, "-C", from, "x"]);
    const node = treeFromTar(readFileSync(tar)).root.children!.get("x") as TreeNode;
    expect(node.xattrs?.get("user.bytes")).toEqual(new Uint8Array([0, 1, 255, 10, 61]));
  });
});
