// Layers on disk as root: what overlayfs cannot show is resolved at extraction, so that the kernel's tree and ours are one; hostile
// layers stay beneath their directory (named by advisory) and do not steer the kernel.
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { toByteString, type DirFs } from "@lapstrake/base";
import { openDirFs } from "@lapstrake/core";
import {
  BytesContent,
  StackView,
  UnionFs,
  dirFsOf,
  extractLayer,
  treeFromTar,
  writeTar,
  type LayerEntry,
} from "@lapstrake/layers";
import { canonical } from "../contract/layers-ops.ts";

const isRoot = process.getuid?.() === 0;
let base = "";
let serial = 0;

beforeAll(() => {
  if (!isRoot) return;
  base = mkdtempSync(join(tmpdir(), "lap-extract-"));
  execFileSync("mount", ["-t", "tmpfs", "-o", "mode=755", "lap-test", base]);
});
afterAll(() => {
  if (!isRoot) return;
  execFileSync("umount", [base]);
  rmSync(base, { recursive: true });
});

type Member = string | Partial<LayerEntry>;

/** "d/" a directory, "p -> q" a link, "p => q" a hard link, "p: text" a file; or the fields of an entry. */
function entry(member: Member): LayerEntry {
  const plain = { mode: 0o644, uid: 0, gid: 0, size: 0, mtimeSec: 1_600_000_000, mtimeNsec: 9, target: "" };
  const rest = { rdevMajor: 0, rdevMinor: 0, xattrs: undefined, content: undefined, path: "f" };
  if (typeof member !== "string") return { ...plain, ...rest, type: "file", ...member };
  const [soft, hard, file] = [member.split(" -> "), member.split(" => "), member.split(": ")];
  const made = (path: string, type: LayerEntry["type"], more: Partial<LayerEntry> = {}): LayerEntry => ({
    ...plain,
    ...rest,
    path: toByteString(path),
    type,
    ...more,
  });
  if (soft.length === 2) return made(soft[0]!, "symlink", { target: toByteString(soft[1]!), mode: 0o777 });
  if (hard.length === 2) return made(hard[0]!, "hardlink", { target: toByteString(hard[1]!) });
  if (member.endsWith("/")) return made(member.slice(0, -1), "dir", { mode: 0o755 });
  const content = new BytesContent(new TextEncoder().encode(file[1] ?? ""));
  return made(file[0]!, "file", { content, size: content.size });
}

function tar(members: readonly Member[]): Uint8Array {
  return Buffer.concat([...writeTar(members.map(entry))]);
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield await Promise.resolve(bytes);
}

/** Extracts layers (lowest first) as the snapshot store does; returns their directories, top first. */
async function extract(layers: readonly (readonly Member[])[]): Promise<string[]> {
  const dir = join(base, String(serial++));
  mkdirSync(dir);
  const out: string[] = [];
  for (const [i, members] of layers.entries()) {
    const path = join(dir, `l${i}`);
    mkdirSync(path);
    const below = out.map((lower) => openDirFs(lower));
    using into = openDirFs(path);
    try {
      await extractLayer(once(tar(members)), into, below.length === 0 ? {} : { lower: new StackView(below) });
    } finally {
      for (const lower of below) lower.close();
    }
    out.unshift(path);
  }
  return out;
}

/** Lowers that the kernel may stack: none below an opaque root. */
function visible(lowers: readonly string[]): string[] {
  const end = lowers.findIndex((path) => {
    using dir = openDirFs(path);
    return dir.getXattr("", "trusted.overlay.opaque") !== undefined;
  });
  return end < 0 ? [...lowers] : lowers.slice(0, end + 1);
}

function mounted<T>(lowers: readonly string[], use: (merged: DirFs) => T): T {
  const dir = join(base, String(serial++));
  for (const name of ["upper", "work", "merged"]) mkdirSync(join(dir, name), { recursive: true });
  const options = `lowerdir=${visible(lowers).join(":")},upperdir=${dir}/upper,workdir=${dir}/work,redirect_dir=off,index=off,metacopy=off`;
  execFileSync("mount", ["-t", "overlay", "-o", options, "overlay", join(dir, "merged")]);
  const merged = openDirFs(join(dir, "merged"));
  try {
    return use(merged);
  } finally {
    merged.close();
    execFileSync("umount", [join(dir, "merged")]);
  }
}

/** Hard links across layers are copies on disk, so counts are left out. */
function lines(fs: DirFs): string[] {
  return canonical(fs, Number.POSITIVE_INFINITY).map((line) => line.replace(/( \d+) \d+ \|/, "$1 |"));
}

const ROWS: readonly (readonly [what: string, lower: readonly Member[], upper: readonly Member[]])[] = [
  [".wh.d then d/ again", ["d/", "d/x: 1"], [".wh.d", "d/", "d/y: 2"]],
  ["d/ then .wh.d", ["d/", "d/x: 1"], ["d/", "d/y: 2", ".wh.d"]],
  ["add a, then .wh.a", ["a: old"], ["a: new", ".wh.a"]],
  ["an opaque root", ["a: 1", "d/", "d/x: 2"], [".wh..wh..opq", "b: 3"]],
  ["an opaque directory, named last", ["d/", "d/low: 1", "d/sub/", "d/sub/x: 1"], ["d/new: 2", "d/.wh..wh..opq"]],
  ["a whiteout inside an opaque directory", ["d/", "d/low: 1"], ["d/", "d/.wh..wh..opq", "d/.wh.low", "d/.wh.none"]],
  ["whiteouts of what is not there", ["a: 1"], [".wh.none", "x/.wh.y"]],
  ["an unlisted private directory", [{ path: "d", type: "dir", mode: 0o700, uid: 5 }, "d/f: 1"], ["d/g: 2"]],
  ["a path through a lower link", ["real/", "p -> real"], ["p/q: 1"]],
  ["a path through an absolute lower link", ["real/", "p -> /real"], ["p/q: 1"]],
  ["a hard link to a lower file", ["a: 1"], ["b => a", "c/d => a"]],
  ["a hard link before its target", [], ["b => a", "a: 1"]],
  ["duplicates", ["a/", "a/x: 0"], ["a: 1", "a/", "a/y: 2", "f: 1", "f: 2"]],
  ["a file where a directory was, and the other way round", ["d/", "d/x: 1", "f: 1"], ["d: file", "f/", "f/x: 2"]],
  ["a whiteout in the lowest layer", [".wh.ghost", "a: 1"], ["b: 2"]],
  ["a tree that is replaced through a file in the middle", ["d/", "d/x: 1"], ["d: 1", ".wh.x"]],
];

describe.skipIf(!isRoot)("extraction (root)", () => {
  it.each(ROWS)("%s: the kernel shows what the union shows", async (_what, lower, upper) => {
    const memory = UnionFs.create([treeFromTar(tar(lower)), treeFromTar(tar(upper))]);
    const lowers = await extract([lower, upper]);
    expect(mounted(lowers, lines)).toEqual(lines(dirFsOf(memory)));
  });

  it("leaves no ghost names: a whiteout is written only where it hides something", async () => {
    const [upper] = await extract([["a: 1"], [".wh.none", ".wh.a", "d/.wh.x"]]);
    expect(readdirSync(upper!).toSorted()).toEqual(["a", "d"]);
    expect(readdirSync(join(upper!, "d"))).toEqual([]);
  });

  it("refuses 0:0 devices, which the kernel would take for deletions", async () => {
    await expect(extract([[{ path: "x", type: "char" }]])).rejects.toMatchObject({ code: "ERR_LAP_LAYER_INVALID" });
  });
});

describe.skipIf(!isRoot)("hostile layers (root)", () => {
  const canary = (): string => {
    const path = join(base, `canary-${serial++}`);
    mkdirSync(path);
    writeFileSync(join(path, "file"), "canary");
    return path;
  };

  it.each<[advisory: string, members: (canary: string) => Member[]]>([
    [
      "docker 2014-9357: a link out, then a file through it",
      (path) => [`out -> ${path}`, "out/file: owned", "out/new: owned"],
    ],
    ["umoci 2021-29136: climbing names", () => ["../../file: owned", "a/../../../file: owned"]],
    [
      "node-tar 2021-37701: a link and a directory of one name",
      (path) => [`out -> ${path}`, "out/", "out/file: owned"],
    ],
    ["node-tar 2026-23745: a hard link through a link", (path) => [`out -> ${path}`, "mine => out/file"]],
    ["tar-fs 2024-12905: a hard link to outside", (path) => [`mine => ${path}/file`]],
    [
      "containerd 2021-32760: modes through a link",
      (path) => [`out -> ${path}/file`, { path: "out", type: "file", mode: 0o4777 }],
    ],
    ["a whiteout through a link", (path) => [`out -> ${path}`, "out/.wh.file", "out/.wh..wh..opq"]],
    ["links that chase each other", (path) => ["a -> b", `b -> ../../../..${path}`, "a/file: owned"]],
  ])("%s", async (_advisory, members) => {
    const path = canary();
    await extract([members(path)]).then(
      () => undefined,
      (error: unknown) => expect(error).toMatchObject({ code: expect.stringMatching(/^ERR_LAP_LAYER_/) as unknown }),
    );
    expect(readdirSync(path)).toEqual(["file"]);
    expect(readFileSync(join(path, "file"), "utf8")).toBe("canary");
    expect(readdirSync(base)).not.toContain("file");
  });

  it("umoci 2021-29136: the root of a layer is not a link", async () => {
    await expect(extract([[". -> /"]])).rejects.toMatchObject({ code: "ERR_LAP_LAYER_INVALID" });
  });

  it("overlay attributes of a layer stay data: nothing is hidden, redirected or read elsewhere", async () => {
    const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
    const xattrs = new Map([
      ["trusted.overlay.opaque", bytes("y")],
      ["trusted.overlay.redirect", bytes("/secret")],
      ["user.overlay.opaque", bytes("y")],
    ]);
    const meta = new Map([
      ["trusted.overlay.metacopy", bytes("")],
      ["trusted.overlay.redirect", bytes("/secret/key")],
    ]);
    const lowers = await extract([
      ["d/", "d/below: 1", "secret/", "secret/key: key"],
      [
        { path: "d", type: "dir", mode: 0o755, xattrs },
        { path: "f", xattrs: meta },
      ],
    ]);
    mounted(lowers, (merged) => {
      expect(merged.readdir("d").map(({ name }) => name)).toEqual(["below"]);
      expect(merged.stat("f")!.size).toBe(0);
      expect(merged.getXattr("d", "trusted.overlay.opaque")).toEqual(bytes("y"));
      expect(merged.getXattr("d", "user.overlay.opaque")).toBeUndefined();
    });
  });
});
