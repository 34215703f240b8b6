// Boxes in memory: no root, no disk, the same calls. The guest is the module of the engine's own warm run, and the built-in sh.
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { expect, test } from "vitest";
import { WARM_MODULE } from "../sandbox/wasm-warm.ts";
import { open } from "./open.ts";
import type { Box, Store } from "./types.ts";

const MODULE = Buffer.from(WARM_MODULE, "base64");

async function scratch(store: Store): Promise<Box> {
  const box = await store.box("scratch", { env: { GREETING: "hello there" } });
  await box.fs.mkdir("/bin");
  await box.fs.writeFile("/bin/warm", MODULE, { mode: 0o755 });
  return box;
}

test("programs run over files in memory", async () => {
  await using store = await open({ memory: true });
  await using box = await scratch(store);
  expect(await box.exec(["warm"])).toMatchObject({ ok: true, exitCode: 0, stdout: "x\n", timedOut: false });
  expect(await box.$`echo "$GREETING" ${"$x 'y'"} >/said; read -r line </said; echo "$line"`.text()).toBe(
    "hello there $x 'y'",
  );
  expect(await box.fs.readFile("/said", "utf8")).toBe("hello there $x 'y'\n");
  await expect(box.$`exit 3`).rejects.toMatchObject({ code: "ERR_LAP_EXIT_CODE", exitCode: 3 });
  await expect(box.exec(["nope"])).rejects.toMatchObject({ code: "ERR_LAP_WASM_NOT_FOUND" });
});

test("a guest that spins is broken off in time", async () => {
  await using store = await open({ memory: true });
  await using box = await scratch(store);
  expect(await box.exec(["sh", "-c", "while :; do :; done"], { timeoutMs: 100 })).toMatchObject({
    ok: false,
    timedOut: true,
  });
});

test("a script does not keep this thread from its work, takes its input as it comes, and starts programs", async () => {
  await using store = await open({ memory: true });
  await using box = await scratch(store);
  const script = "while read line; do echo got $line >/said; warm </bin/warm >/out; read said </said; echo $said; done";
  const program = box.exec(["sh", "-c", script], { stdin: "pipe" });
  const lines = program[Symbol.asyncIterator]();
  for (const word of ["one", "two"]) {
    program.stdin.write(`${word}\n`);
    expect((await lines.next()).value).toBe(`got ${word}`);
  }
  program.stdin.end();
  expect((await lines.next()).done).toBe(true);
  expect([(await program).exitCode, (await box.fs.stat("/out")).size]).toEqual([0, 2]);
});

test("forks share what was there and nothing after", async () => {
  await using store = await open({ memory: true });
  await using box = await scratch(store);
  await box.fs.writeFile("/state", "one");
  await using fork = await box.fork();
  await fork.fs.writeFile("/state", "two");
  await box.fs.writeFile("/other", "");
  expect([await box.fs.readFile("/state", "utf8"), await fork.fs.readFile("/state", "utf8")]).toEqual(["one", "two"]);
  expect(await fork.fs.exists("/other")).toBe(false);
  expect((await fork.exec(["warm"])).stdout).toBe("x\n");
});

test("a snapshot is an image of the store", async () => {
  await using store = await open({ memory: true });
  await using box = await scratch(store);
  await box.fs.writeFile("/state", "kept");
  const { image } = await box.snapshot({ name: "kept:1" });
  await using again = await store.box(image);
  expect(await again.fs.readFile("/state", "utf8")).toBe("kept");
  expect((await store.run(image, ["warm"])).stdout).toBe("x\n");
});

test("streams of files and their shape are node:fs's", async () => {
  await using store = await open({ memory: true });
  await using box = await scratch(store);
  const bytes = new Uint8Array(700_000).fill(7);
  await box.fs.writeFile("/big", [bytes.subarray(0, 10), bytes.subarray(10)]);
  let length = 0;
  for await (const chunk of box.fs.createReadStream("/big") as AsyncIterable<Uint8Array>) length += chunk.length;
  expect([length, (await box.fs.stat("/big")).size]).toEqual([700_000, 700_000]);
  await expect(box.fs.readFile("/none")).rejects.toMatchObject({ code: "ENOENT", syscall: "open", path: "/none" });
  const entries = await box.fs.readdir("/", { withFileTypes: true });
  expect(entries.map((entry) => [entry.name, entry.isDirectory()])).toEqual([
    ["big", false],
    ["bin", true],
  ]);
});

test("files are written as streams, read in ranges, and not watched", async () => {
  await using store = await open({ memory: true });
  await using box = await scratch(store);
  await pipeline(Readable.from(["one ", "two ", "three"]), box.fs.createWriteStream("/out", { mode: 0o600 }));
  expect([await box.fs.readFile("/out", "utf8"), (await box.fs.stat("/out")).mode & 0o777]).toEqual([
    "one two three",
    0o600,
  ]);
  await pipeline(Readable.from(["!"]), box.fs.createWriteStream("/out", { flag: "a" }));
  expect(await text(box.fs.createReadStream("/out", { start: 4, end: 6 }))).toBe("two");
  expect(await text(box.fs.createReadStream("/out", { start: 8 }))).toBe("three!");
  await pipeline(Readable.from([]), box.fs.createWriteStream("/empty"));
  expect((await box.fs.stat("/empty")).size).toBe(0);
  const taken = pipeline(Readable.from(["x"]), box.fs.createWriteStream("/out", { flag: "wx" }));
  await expect(taken).rejects.toMatchObject({ code: "EEXIST" });
  expect(() => box.fs.watch("/")).toThrow(expect.objectContaining({ code: "ERR_LAP_FS_WATCH" }));
});

test("what only containers of the machine have is refused by name", async () => {
  await using store = await open({ memory: true });
  await using box = await scratch(store);
  const refused = { code: "ERR_LAP_MEMORY_BOX" };
  await expect(store.box("scratch", { network: "none" })).rejects.toMatchObject(refused);
  await expect(store.box("scratch", { command: ["x"] })).rejects.toMatchObject(refused);
  await expect(box.start()).rejects.toMatchObject(refused);
  await expect(box.waitFor({ port: 1 })).rejects.toMatchObject(refused);
  expect(() => box.exec(["warm"], { user: "bob" })).toThrow(expect.objectContaining(refused));
  await expect(store.box("none:1")).rejects.toMatchObject({ code: "ERR_LAP_NO_IMAGE" });
});

test("an aborted program rejects with the reason", async () => {
  await using store = await open({ memory: true });
  await using box = await scratch(store);
  const reason = new Error("no longer wanted");
  await expect(box.exec(["warm"], { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  expect((await box.exec(["warm"])).ok).toBe(true);
});
