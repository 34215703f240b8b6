// The files of a Wasm container that runs: cp, diff, commit, export and fork, each of one moment of its guest.
import { mkdirSync, writeFileSync } from "node:fs";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { buildGuests } from "../../wasm/build.ts";
import { needs } from "../support/facts.ts";
import { LapStore } from "../support/lap.ts";
import { soon } from "../support/until.ts";
import { writeLayout } from "../support/oci-layout.ts";

/** Two files that always say the same, or the first one more. */
const COUNTS = "i=0; echo 0 > /a; echo 0 > /b; while :; do i=$((i+1)); echo $i > /a; echo $i > /b; done";

needs("root", "overlayfs", "native").describe("files of running Wasm containers", () => {
  let store: LapStore;
  let guest: string;

  beforeAll(async () => {
    store = new LapStore();
    const layer = join(store.folder, "layer");
    await buildGuests(layer);
    guest = join(layer, "hello.wasm");
    mkdirSync(join(layer, "dir"));
    writeFileSync(join(layer, "dir/below"), "from the layer");
    const platform = { os: "wasip1", architecture: "wasm" };
    const layout = join(store.folder, "layout");
    writeLayout(layout, [{ tag: "live:1", layers: [layer], platform, config: { Entrypoint: ["sh", "-c"] } }]);
    store.ok("load", "-i", layout);
    store.ok("run", "-d", "--name", "counter", "live:1", COUNTS);
    store.ok("run", "-di", "--name", "idle", "live:1", "echo made > /dir/made; ./hello.wasm rm /ops.wasm; read x");
  });
  afterAll(() => store.close());

  const archive = (...args: string[]): string => {
    const { code, stdout, stderr } = store.run(args);
    expect([code, stderr]).toEqual([0, ""]);
    return stdout;
  };
  const unpacked = (tar: string, path: string): string =>
    execFileSync("tar", ["-xOf", "-", path], { input: Buffer.from(tar, "latin1"), encoding: "utf8" });

  it("diff, cp out and export show what it has changed so far", async () => {
    await soon(() => expect(store.ok("diff", "idle")).toContain("D /ops.wasm"));
    expect(store.ok("diff", "idle").split("\n")).toEqual(["C /dir", "A /dir/made", "D /ops.wasm"]);
    expect(unpacked(archive("cp", "idle:/dir", "-"), "dir/made")).toBe("made\n");
    const all = archive("export", "idle");
    expect([unpacked(all, "dir/made"), unpacked(all, "dir/below")]).toEqual(["made\n", "from the layer"]);
  });

  it("are those of one moment", () => {
    for (let round = 0; round < 3; round++) {
      const all = archive("export", "counter");
      const [a, b] = ["a", "b"].map((name) => Number(unpacked(all, name))) as [number, number];
      // Between truncating a file and writing it there is a moment too.
      expect(unpacked(all, "a") === "" || unpacked(all, "b") === "" || a - b === 0 || a - b === 1).toBe(true);
    }
  });

  it("cp in puts files there, which the guest sees, and lets it go on", () => {
    const given = join(store.folder, "given");
    writeFileSync(given, "given\n");
    store.ok("cp", given, "counter:/dir/");
    store.ok("cp", given, "counter:/dir/below");
    expect(store.ok("exec", "counter", "./hello.wasm", "cat", "/dir/given", "cat", "/dir/below")).toBe("given\ngiven");
    const count = (): string => store.ok("exec", "counter", "./hello.wasm", "cat", "/a");
    const before = count();
    for (let i = 0; i < 500 && count() === before; i++);
    expect(count()).not.toBe(before);
  });

  it("commit makes an image of them", () => {
    store.ok("commit", "idle", "kept:1");
    expect(store.ok("run", "--rm", "kept:1", "./hello.wasm ls /dir cat /dir/made")).toBe("below\nmade\nmade");
  });

  it("fork begins with them, and goes on by itself", () => {
    store.ok("fork", "idle", "forked");
    store.ok("cp", guest, "forked:/dir/more");
    expect(store.ok("diff", "forked").split("\n")).toEqual(["C /dir", "A /dir/made", "A /dir/more", "D /ops.wasm"]);
    expect(store.ok("diff", "idle")).not.toContain("more");
  });

  it("are not to be had while it is paused", () => {
    if (store.run(["pause", "idle"]).code !== 0) return; // no freezer here
    const { code, stderr } = store.run(["diff", "idle"]);
    store.ok("unpause", "idle");
    expect([code, stderr]).toEqual([1, expect.stringContaining("is paused")]);
  });

  it("stay what they are when the root is read-only", () => {
    store.ok("run", "-di", "--read-only", "--name", "fixed", "live:1", "read x");
    expect(store.ok("diff", "fixed")).toBe("");
    expect(store.run(["cp", guest, "fixed:/x"]).code).not.toBe(0);
  });
});
