// The node:fs facade: what users of node:fs and memfs call, with Node's answers and errors.
import { describe, expect, it } from "vitest";
import { UnionFs } from "../fs/union-fs.ts";
import { layer } from "../testing/layer.ts";
import { nodeFs, type NodeFs } from "./node-fs.ts";

function make(): NodeFs {
  return nodeFs(UnionFs.create([layer(["etc/passwd: root", "bin -> usr/bin", "usr/bin/sh: #!"])]));
}

describe("nodeFs", () => {
  it("reads, writes and appends files", () => {
    const fs = make();
    expect(fs.readFileSync("/etc/passwd", "utf8")).toBe("root");
    expect(fs.readFileSync("/etc/passwd")).toEqual(Buffer.from("root"));
    fs.writeFileSync("/etc/new", "a");
    fs.appendFileSync("/etc/new", new Uint8Array([98]));
    fs.copyFileSync("/etc/new", "/etc/copy");
    expect(fs.readFileSync("/etc/copy", { encoding: "utf8" })).toBe("ab");
    fs.truncateSync("/etc/copy", 1);
    expect(fs.statSync("/etc/copy")).toMatchObject({ size: 1 });
  });

  it("lists directories, plain, with types, recursively", () => {
    const fs = make();
    expect(fs.readdirSync("/")).toEqual(["bin", "etc", "usr"]);
    expect(fs.readdirSync("/usr", { recursive: true })).toEqual(["bin", "bin/sh"]);
    const [bin, etc] = fs.readdirSync("/", { withFileTypes: true });
    expect([bin!.isSymbolicLink(), etc!.isDirectory(), etc!.parentPath]).toEqual([true, true, "/"]);
  });

  it("makes and removes trees", () => {
    const fs = make();
    expect(fs.mkdirSync("/a/b/c", { recursive: true })).toBe("/a");
    fs.writeFileSync("/a/b/c/f", "1");
    expect(() => fs.rmSync("/a")).toThrow("EISDIR");
    fs.rmSync("/a", { recursive: true });
    fs.rmSync("/a", { force: true });
    expect([fs.existsSync("/a"), fs.existsSync("/etc")]).toEqual([false, true]);
  });

  it("follows links where node:fs does", () => {
    const fs = make();
    expect([fs.statSync("/bin").isDirectory(), fs.lstatSync("/bin").isSymbolicLink()]).toEqual([true, true]);
    expect([fs.readlinkSync("/bin"), fs.realpathSync("/bin/sh"), fs.realpathSync("/")]).toEqual([
      "usr/bin",
      "/usr/bin/sh",
      "/",
    ]);
    fs.symlinkSync("../../..", "/etc/up");
    expect(fs.realpathSync("/etc/up/etc")).toBe("/etc");
  });

  it("throws Node's errors", () => {
    const fs = make();
    const error = {
      code: "ENOENT",
      errno: -2,
      syscall: "open",
      path: "/none",
      message: "ENOENT: no such file or directory, open '/none'",
    };
    expect(() => fs.readFileSync("/none")).toThrow(expect.objectContaining(error));
    expect(() => fs.renameSync("/none", "/x")).toThrow("ENOENT: no such file or directory, rename '/none' -> '/x'");
    expect(() => fs.mkdirSync("/etc")).toThrow("EEXIST");
    expect(() => fs.readdirSync("/etc/passwd")).toThrow("ENOTDIR");
  });

  it("keeps positions of descriptors", () => {
    const fs = make();
    const fd = fs.openSync("/etc/passwd", "r+");
    const two = new Uint8Array(2);
    expect([fs.readSync(fd, two), fs.readSync(fd, two), fs.readSync(fd, two)]).toEqual([2, 2, 0]);
    expect(fs.writeSync(fd, "!")).toBe(1);
    fs.closeSync(fd);
    expect(fs.readFileSync("/etc/passwd", "utf8")).toBe("root!");
    expect(() => fs.fstatSync(fd)).toThrow("EBADF");
  });

  it("is there as promises and with callbacks", async () => {
    const fs = make();
    await fs.promises.writeFile("/p", "x");
    await expect(fs.promises.stat("/none")).rejects.toMatchObject({ code: "ENOENT", syscall: "stat" });
    const text = await new Promise((resolve) => fs.readFile("/p", "utf8", (_error, value) => resolve(value)));
    const error = await new Promise((resolve) => fs.stat("/none", (failure) => resolve(failure)));
    expect([text, error]).toEqual(["x", expect.objectContaining({ code: "ENOENT" })]);
  });
});
