// Layer directories through DirFs without a kernel: forms of whiteouts, escaped attributes, and filesystems that cannot hold a layer.
import { describe, expect, it } from "vitest";
import { dirFsOf } from "../fs/inode-dirfs.ts";
import { UnionFs } from "../fs/union-fs.ts";
import { openMemDir } from "../memfs/index.ts";
import { layer } from "../testing/layer.ts";
import { dump } from "../testing/paths.ts";
import { layerTar } from "./upper.ts";
import { extractLayer } from "./extract.ts";
import { OPAQUE_VALUE } from "./overlay-xattrs.ts";
import { readUpper } from "./read-tree.ts";
import { StackView } from "./stack-view.ts";
import { writeTree } from "./write-tree.ts";

const NOTHING = new Uint8Array(0);
const X = new Uint8Array([0x78]);

/** A directory in memory with `members`. */
function directory(members: readonly string[]): ReturnType<typeof dirFsOf> {
  return dirFsOf(UnionFs.create([layer(members)]));
}

describe("readUpper", () => {
  it("knows opaque directories and whiteouts by attribute, where the directory says that they count", () => {
    const upper = directory(["d/gone: ", "d/kept: 1", "e/gone: ", "o/new: 2"]);
    for (const dir of ["d", "e"]) upper.setXattr(`${dir}/gone`, "trusted.overlay.whiteout", NOTHING);
    upper.setXattr("d", "trusted.overlay.opaque", X);
    upper.setXattr("o", "trusted.overlay.opaque", OPAQUE_VALUE);
    const lower = layer(["d/gone: low", "e/gone: low", "o/low: 1"]);
    const shown = ["/d/", "/d/kept: 1", "/e/", "/e/gone: ", "/o/", "/o/new: 2"];
    expect(dump(UnionFs.create([lower, readUpper(upper)]))).toEqual(shown);
    const view = new StackView([upper, directory(["d/gone: low", "o/low: 1"])]);
    expect([view.lookup("d/gone"), view.names("d"), view.names("o")]).toEqual([undefined, ["kept"], ["new"]]);
  });

  it("reads user.overlay.* where the mount was made with userxattr, and leaves it alone elsewhere", () => {
    const upper = directory(["o/new: 2"]);
    upper.setXattr("o", "user.overlay.opaque", OPAQUE_VALUE);
    const names = (overlayXattrs: "user" | "trusted"): string[] =>
      dump(UnionFs.create([layer(["o/low: 1"]), readUpper(upper, { overlayXattrs })]));
    expect(names("user")).toEqual(["/o/", "/o/new: 2"]);
    expect(names("trusted")).toEqual(["/o/", "/o/low: 1", "/o/new: 2"]);
  });

  it.each(["trusted.overlay.redirect", "trusted.overlay.metacopy"])(
    "refuses an upper with %s: its files lie elsewhere",
    (name) => {
      const upper = directory(["f: 1"]);
      upper.setXattr("f", name, NOTHING);
      expect(() => readUpper(upper)).toThrow(expect.objectContaining({ code: "ERR_LAP_UPPER_UNSUPPORTED" }));
    },
  );

  it("leaves the overlay's bookkeeping out, and unescapes what programs set", () => {
    const upper = directory(["f: 1"]);
    upper.setXattr("f", "trusted.overlay.origin", X);
    upper.setXattr("f", "trusted.overlay.overlay.mine", X);
    upper.setXattr("f", "user.a", X);
    const fs = UnionFs.create([readUpper(upper)]);
    expect(fs.listXattrs(fs.lookup(fs.root, "f"))).toEqual(["trusted.overlay.mine", "user.a"]);
  });
});

describe("writing layers", () => {
  it("keeps hard links, links and metadata", () => {
    const into = UnionFs.create([]);
    const tree = layer(["a: 1", "b => a", "d/", "d/l -> ../a"]);
    writeTree(tree, dirFsOf(into));
    expect(dump(into)).toEqual(["/a: 1", "/b: 1", "/d/", "/d/l -> ../a"]);
    expect(into.getattr(into.lookup(into.root, "b"))).toMatchObject({ nlink: 2, mtimeSec: 1000 });
  });

  it("escapes the overlay's attribute names", () => {
    const source = UnionFs.create([layer(["a: 1"])]);
    source.setXattr(source.lookup(source.root, "a"), "trusted.overlay.opaque", OPAQUE_VALUE, 0);
    const into = dirFsOf(UnionFs.create([]));
    writeTree(source.upperTree(), into);
    expect(into.listXattrs("a")).toEqual(["trusted.overlay.overlay.opaque"]);
  });

  it("says what a filesystem lacks, instead of leaving it out", () => {
    const missing = expect.objectContaining({ code: "ERR_LAP_FS_FEATURE" }) as Error;
    expect(() => writeTree(layer([".wh.gone"]), openMemDir())).toThrow(missing);
    expect(() => writeTree(layer(["d/.wh..wh..opq"]), openMemDir())).toThrow(missing);
  });

  it("ends when it is aborted, and cleans up nothing that is not its own", async () => {
    const into = openMemDir();
    const abort = AbortSignal.abort(new Error("stop"));
    await expect(extractLayer(layerTar(layer(["a: 1"])), into, { signal: abort })).rejects.toThrow("stop");
    expect(into.readdir("")).toEqual([]);
  });
});
