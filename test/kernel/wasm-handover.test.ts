// One program, two worlds: natively on the kernel's overlayfs, and as Wasm on the union filesystem over the same layer. Same
// transcript, same changes to the byte; and what one wrote, the other goes on with.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DirFs } from "@lapstrake/base";
import { openDirFs } from "@lapstrake/core";
import { TreeNode, UnionFs, layerTar, readUpper, treeEntries, writeUpper, type LayerTree } from "@lapstrake/layers";
import { chunkOutput, compileModule, runModule, type WasmModule } from "@lapstrake/wasm";
import { afterEach, beforeEach, expect, it } from "vitest";
import { needs, titleUnless } from "../support/facts.ts";
import { clangMissing, compileC } from "../support/wasm-clang.ts";

const COUNT = 1500;

let top: string;
let native: string;
let guest: WasmModule;

function prepare(): void {
  native = join(top, "fsops");
  compileC("fsops", native, "native");
  compileC("fsops", join(top, "fsops.wasm"), "wasm");
  guest = compileModule(new Uint8Array(readFileSync(join(top, "fsops.wasm"))));
  mkdirSync(join(top, "lower/low"), { recursive: true });
  for (const [name, text] of Object.entries({
    a: "lower a",
    "low/a": "deep a",
    "low/b": "deep b",
    "low/f1": "x".repeat(3000),
  })) {
    writeFileSync(join(top, "lower", name), text);
  }
  lowerDir = openDirFs(join(top, "lower"));
}

beforeEach(() => {
  top = mkdtempSync(join(tmpdir(), "lap-handover-"));
  if (clangMissing === undefined) prepare();
});
afterEach(() => {
  if (clangMissing === undefined) lowerDir.close();
  rmSync(top, { recursive: true });
});

/** Runs `command` in a mount namespace of its own, with the overlay on `merged`; its output. */
function onOverlay(upper: string, command: string): string {
  for (const name of [upper, `${upper}-work`, "merged"]) mkdirSync(join(top, name), { recursive: true });
  const options = `lowerdir=${top}/lower,upperdir=${top}/${upper},workdir=${top}/${upper}-work,redirect_dir=off,index=off`;
  const script = `set -e; mount -t overlay overlay -o ${options} ${top}/merged; ${command}`;
  return execFileSync("unshare", ["-m", "sh", "-c", script], { encoding: "utf8", maxBuffer: 64 * 1024 * 1024 });
}

let lowerDir: DirFs;

/** The layer that both stand on; its files are read from disk while the directory is open. */
function lower(): LayerTree {
  return readUpper(lowerDir);
}

function wasmTranscript(fs: UnionFs, seed: number): string {
  let out = "";
  const stdout = chunkOutput((chunk) => (out += Buffer.from(chunk).toString()));
  const exit = runModule({ fs, module: guest, args: ["fsops", "/", String(seed), String(COUNT)], stdout });
  expect(exit).toMatchObject({ exitCode: 0 });
  return out;
}

function nativeTranscript(upper: string, seed: number): string {
  return onOverlay(upper, `${native} ${top}/merged ${seed} ${COUNT}`);
}

/** Digest of a layer with all times equal. */
async function digestOf(tree: LayerTree): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of layerTar({ root: timeless(tree.root, new Map()), hasLinks: tree.hasLinks }))
    hash.update(chunk);
  return hash.digest("hex");
}

/** The kernel marks directories opaque that stand where no lower directory is; the union's export leaves such marks out. */
function normalized(upper: LayerTree): LayerTree {
  const fs = UnionFs.create([lower()]);
  fs.adopt(upper);
  return fs.upperTree();
}

/** The members, for a difference that a person can read. */
function listing(tree: LayerTree): string[] {
  return treeEntries(tree).map(({ path, type, mode, uid, gid, size, target }) =>
    [path, type, mode.toString(8), uid, gid, size, target].join(" "),
  );
}

function timeless(node: TreeNode, done: Map<TreeNode, TreeNode>): TreeNode {
  const known = done.get(node);
  if (known !== undefined) return known;
  const children = new Map(
    [...(node.children ?? [])].map(([name, child]) => [
      name,
      child instanceof TreeNode ? timeless(child, done) : child,
    ]),
  );
  const copy = new TreeNode({ ...node, mtimeSec: 0, mtimeNsec: 0, atimeSec: 0, atimeNsec: 0 }, children);
  Object.assign(copy, { opaque: node.opaque, implied: node.implied, closed: node.closed });
  done.set(node, copy);
  return copy;
}

const titled = (title: string): string => titleUnless(clangMissing !== undefined, clangMissing ?? "", title);
const lacksClang = clangMissing !== undefined;

needs("root", "overlayfs").describe("hand-over between sandboxes", () => {
  it.skipIf(lacksClang).each([1, 2, 3, 4])(
    titled("the same transcript and the same changes, seed %i"),
    async (seed) => {
      const fs = UnionFs.create([lower()]);
      expect(wasmTranscript(fs, seed)).toBe(nativeTranscript("upper", seed));
      using upper = openDirFs(join(top, "upper"));
      const linux = normalized(readUpper(upper));
      expect(listing(fs.upperTree())).toEqual(listing(linux));
      expect(await digestOf(fs.upperTree())).toBe(await digestOf(linux));
    },
  );

  it.skipIf(lacksClang)(titled("goes on in the other sandbox with what the first one wrote, both ways"), () => {
    const fs = UnionFs.create([lower()]);
    wasmTranscript(fs, 7);
    mkdirSync(join(top, "from-wasm"));
    using handed = openDirFs(join(top, "from-wasm"));
    writeUpper(fs, handed);
    nativeTranscript("from-linux", 7);
    using linux = openDirFs(join(top, "from-linux"));
    const continued = UnionFs.create([lower()]);
    continued.adopt(readUpper(linux));
    expect(wasmTranscript(continued, 8)).toBe(nativeTranscript("from-wasm", 8));
  });
});
