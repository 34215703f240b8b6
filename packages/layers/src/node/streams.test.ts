// Streams and watch over a filesystem in memory.
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { text } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import { UnionFs } from "../fs/union-fs.ts";
import { layer } from "../testing/layer.ts";
import { nodeFsWithStreams, type NodeFsWithStreams } from "./streams.ts";

const make = (): NodeFsWithStreams => nodeFsWithStreams(UnionFs.create([layer(["d/f: 0123456789"])]));

describe("streams and watch", () => {
  it("reads whole files and ranges", async () => {
    const fs = make();
    expect(await text(fs.createReadStream("/d/f", { highWaterMark: 3 }))).toBe("0123456789");
    expect(await text(fs.createReadStream("/d/f", { start: 2, end: 4 }))).toBe("234");
    await expect(text(fs.createReadStream("/none"))).rejects.toMatchObject({ code: "ENOENT" });
  });

  it("writes and appends", async () => {
    const fs = make();
    await pipeline(Readable.from(["a", "b"]), fs.createWriteStream("/d/new"));
    await pipeline(Readable.from(["c"]), fs.createWriteStream("/d/new", { flags: "a" }));
    expect(fs.readFileSync("/d/new", "utf8")).toBe("abc");
    await expect(pipeline(Readable.from(["x"]), fs.createWriteStream("/none/x"))).rejects.toMatchObject({
      code: "ENOENT",
    });
  });

  it("tells what happens in a directory until closed", () => {
    const fs = make();
    const seen: string[] = [];
    const watcher = fs.watch("/d", (event, name) => seen.push(`${event} ${name}`));
    fs.writeFileSync("/d/new", "1");
    fs.unlinkSync("/d/f");
    fs.writeFileSync("/elsewhere", "1");
    watcher.close();
    fs.unlinkSync("/d/new");
    expect(seen).toEqual(["rename new", "rename f"]);
    expect(() => fs.watch("/none")).toThrow("ENOENT");
  });
});
