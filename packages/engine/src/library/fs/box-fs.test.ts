// box.fs beside node:fs/promises: the same calls on the same tree give the same.
import * as node from "node:fs/promises";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { UnionFs, nodeFs } from "@lapstrake/layers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { boxFs, type BoxFs, type BoxUsage } from "./box-fs.ts";

const USAGE: BoxUsage = { type: 1, bsize: 4096, blocks: 10, bfree: 5, bavail: 5, files: 3, ffree: 2 };
const FILES = ["a.txt", "b.js", ".hidden/x.js", "src/a.ts", "src/a.test.ts", "src/deep/b.ts", "src/deep/more/c.js"];

let folder: string;
let box: BoxFs;

/** The same call on both, each with its own root. */
async function both<T>(call: (fs: typeof node, root: string) => Promise<T>): Promise<[T | string, T | string]> {
  const settled = async (fs: typeof node, root: string): Promise<T | string> => {
    try {
      return await call(fs, root);
    } catch (error) {
      return (error as NodeJS.ErrnoException).code ?? String(error);
    }
  };
  return [await settled(box as unknown as typeof node, "/root"), await settled(node, folder)];
}

async function same<T>(call: (fs: typeof node, root: string) => Promise<T>): Promise<T | string> {
  const [ours, theirs] = await both(call);
  expect(ours).toEqual(theirs);
  return ours;
}

async function collect<T>(list: AsyncIterable<T>): Promise<T[]> {
  const out: T[] = [];
  for await (const item of list) out.push(item);
  return out;
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "lap-boxfs-"));
  const files = nodeFs(UnionFs.create([]));
  box = boxFs(
    async (use) => use(files),
    () => USAGE,
  );
  await box.mkdir("/root");
  for (const file of FILES) {
    await same(async (fs, root) => {
      await fs.mkdir(join(root, file, ".."), { recursive: true });
      await fs.writeFile(join(root, file), `this is ${file}`);
    });
  }
  await same((fs, root) => fs.symlink("src", join(root, "link")));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe("glob", () => {
  it.each([
    ["*"],
    ["**"],
    ["*.js"],
    ["**/*.ts"],
    ["src/**"],
    ["src/*/*.ts"],
    ["src/**/*.js"],
    ["{src,none}/a*.ts"],
    ["**/deep/*"],
    [".hidden/*"],
    ["src/a.ts"],
    ["s?c/[ab].ts"],
    ["{a.txt,src/deep/b.ts}"],
    ["none/*"],
    ["*.{js,txt}"],
  ])("%s", async (pattern) => {
    const [ours, theirs] = await both(async (fs, root) => (await collect(fs.glob(pattern, { cwd: root }))).sort());
    expect(ours).toEqual(theirs);
  });

  it("leaves out what it is told to", async () => {
    const found = await collect(
      box.glob(["**/*.ts", "*.txt"], { cwd: "/root", exclude: (path) => path === "src/deep" }),
    );
    expect(found.toSorted()).toEqual(["a.txt", "src/a.test.ts", "src/a.ts"]);
    expect(await collect(box.glob("src/*", { cwd: "/root", exclude: ["**/*.test.ts", "src/deep"] }))).toEqual([
      "src/a.ts",
    ]);
  });
});

describe("cp", () => {
  const tree = (fs: typeof node, root: string): Promise<string[]> =>
    fs.readdir(root, { recursive: true }).then((names) => names.toSorted());

  it("copies trees and files, links as links", async () => {
    await same(async (fs, root) => {
      await fs.cp(join(root, "src"), join(root, "copy/of"), { recursive: true });
      await fs.cp(join(root, "a.txt"), join(root, "copy/a"));
      return [await tree(fs, join(root, "copy")), await fs.readFile(join(root, "copy/of/deep/b.ts"), "utf8")];
    });
    await box.cp("/root/link", "/root/link2");
    expect(await box.readlink("/root/link2")).toBe("src");
    await box.cp("/root/link", "/root/whole", { recursive: true, dereference: true });
    expect(await box.readdir("/root/whole")).toEqual(["a.test.ts", "a.ts", "deep"]);
  });

  it("keeps or replaces what is there, leaves out, keeps times", async () => {
    await same(async (fs, root) => {
      await fs.cp(join(root, "a.txt"), join(root, "b.js"), { force: false });
      const kept = await fs.readFile(join(root, "b.js"), "utf8");
      await fs.utimes(join(root, "a.txt"), 1000, 2000);
      await fs.cp(join(root, "a.txt"), join(root, "b.js"), { preserveTimestamps: true });
      const filter = (source: string): boolean => !source.endsWith("deep");
      await fs.cp(join(root, "src"), join(root, "some"), { recursive: true, filter });
      return [
        kept,
        await fs.readFile(join(root, "b.js"), "utf8"),
        (await fs.stat(join(root, "b.js"))).mtimeMs,
        await tree(fs, join(root, "some")),
      ];
    });
  });

  it("refuses a tree without recursive, a place within itself, and what is there with errorOnExist", async () => {
    expect(await box.cp("/root/src", "/x").catch((error) => error.code)).toBe("EISDIR");
    expect(await box.cp("/root/src", "/root/src/x", { recursive: true }).catch((error) => error.code)).toBe("EINVAL");
    const options = { force: false, errorOnExist: true };
    expect(await box.cp("/root/a.txt", "/root/b.js", options).catch((error) => error.code)).toBe("EEXIST");
  });
});

describe("open", () => {
  it("reads and writes at a position of its own", async () => {
    await same(async (fs, root) => {
      await using handle = await fs.open(join(root, "a.txt"), "r+");
      const first = await handle.read({ buffer: new Uint8Array(4) });
      const second = await handle.read(new Uint8Array(4), 1, 2);
      await handle.write("THAT", 0);
      await handle.truncate(9);
      const rest = await handle.readFile("utf8");
      return [
        first,
        second.bytesRead,
        [...second.buffer],
        rest,
        (await handle.stat()).size,
        await fs.readFile(join(root, "a.txt"), "utf8"),
      ];
    });
  });

  it("appends, makes, and refuses as its flags say", async () => {
    await same(async (fs, root) => {
      const handle = await fs.open(join(root, "log"), "a", 0o600);
      await handle.appendFile("one\n");
      await fs.appendFile(join(root, "log"), "two\n");
      await handle.write("three\n");
      const refused = await handle.read().catch((error) => error.code);
      await handle.close();
      const closed = await handle.stat().catch((error) => error.code);
      const exclusive = await fs.open(join(root, "log"), "wx").catch((error) => error.code);
      const missing = await fs.open(join(root, "none")).catch((error) => error.code);
      return [await fs.readFile(join(root, "log"), "utf8"), refused, closed, exclusive, missing];
    });
  });

  it("streams, and gives lines", async () => {
    await same(async (fs, root) => {
      await fs.writeFile(join(root, "lines"), "one\ntwo\nthree");
      const writing = (await fs.open(join(root, "written"), "w")).createWriteStream();
      await new Promise((done) => writing.end("streamed", () => done(undefined)));
      expect(await fs.readFile(join(root, "written"), "utf8")).toBe("streamed");
      await using handle = await fs.open(join(root, "lines"), "r");
      const lines = await collect(handle.readLines());
      await using other = await fs.open(join(root, "lines"), "r");
      const part = Buffer.concat(await collect(other.createReadStream({ start: 4, end: 6 }))).toString();
      return [lines, part];
    });
  });
});

it("opendir gives each name once, and ends", async () => {
  await same(async (fs, root) => {
    const seen = await collect(await fs.opendir(join(root, "src")));
    const dir = await fs.opendir(join(root, "src"));
    const first = await dir.read();
    await dir.close();
    return [seen.map((entry) => [entry.name, entry.isDirectory()]).toSorted(), typeof first?.name];
  });
});

it("statfs tells of the filesystem that is written to", async () => {
  expect(await box.statfs("/root")).toEqual(USAGE);
  await expect(box.statfs("/none")).rejects.toMatchObject({ code: "ENOENT" });
});
