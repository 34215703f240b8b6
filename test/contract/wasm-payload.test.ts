// The process of a Wasm container, without a container: stdin of every kind, signals while the guest spins, sleeps and reads; what
// the guest had written is still there afterwards.
import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import { execPath } from "node:process";
import { parseWat } from "@lapstrake/wasm/component";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const SOURCES = {
  /** Copies stdin to stdout, exits with 3. */
  copies: `(module (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (memory (export "memory") 1)
    (func (export "_start")
      (i32.store (i32.const 0) (i32.const 1024))
      (loop $more
        (i32.store (i32.const 4) (i32.const 512))
        (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
        (i32.store (i32.const 4) (i32.load (i32.const 8)))
        (if (i32.load (i32.const 8)) (then
          (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
          (br $more))))
      (call $exit (i32.const 3))))`,
  /** Makes the directory "d", says "+", spins. */
  spins: `(module (import "wasi_snapshot_preview1" "path_create_directory" (func $mkdir (param i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1) (data (i32.const 32) "d+")
    (func (export "_start")
      (drop (call $mkdir (i32.const 3) (i32.const 32) (i32.const 1)))
      (i32.store (i32.const 0) (i32.const 33)) (i32.store (i32.const 4) (i32.const 1))
      (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
      (loop $more (br $more))))`,
  /** Says "+", sleeps for an hour. */
  sleeps: `(module (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1) (data (i32.const 32) "+")
    (func (export "_start")
      (i32.store (i32.const 0) (i32.const 32)) (i32.store (i32.const 4) (i32.const 1))
      (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
      (i32.store (i32.const 80) (i32.const 1))
      (i64.store (i32.const 88) (i64.const 3600000000000))
      (drop (call $poll (i32.const 64) (i32.const 128) (i32.const 1) (i32.const 8)))))`,
} as const;

/** The payload: runs the guest of argv, then writes what it changed into a file. */
const PROGRAM = `
  import { readFileSync, writeFileSync } from "node:fs";
  import { isMainThread } from "node:worker_threads";
  import { UnionFs } from "@lapstrake/layers";
  import { canRunHere, runCommand, runPayload, runPayloadHere, servePayload } from "@lapstrake/wasm/node";
  const data = process.argv.slice(2);
  const run = async ({ data: [guest, changes], ...streams }) => {
    const fs = UnionFs.create([]);
    if (guest.endsWith("stuck.wasm")) for (streams.stdout.write(new Uint8Array([43]), 0, 1);;);
    const exit = await runCommand({ fs, program: new Uint8Array(readFileSync(guest)), args: ["guest"], ...streams, breakOnSigint: true });
    writeFileSync(changes, JSON.stringify(fs.changes()));
    return exit.exitCode;
  };
  if (!isMainThread) await servePayload(run);
  else process.exit(await (canRunHere() ? runPayloadHere(run, data) : runPayload({ file: new URL(import.meta.url), data })));`;

/** In node_modules, where the payload finds the packages. */
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(import.meta.dirname, "../../node_modules/.wasm-payload-"));
  writeFileSync(join(folder, "payload.mjs"), PROGRAM);
  for (const [name, text] of Object.entries(SOURCES)) writeFileSync(join(folder, `${name}.wasm`), await parseWat(text));
});
afterAll(() => rmSync(folder, { recursive: true }));

interface Run {
  readonly child: ChildProcess;
  readonly changes: string;
  /** Resolves when the guest has written something. */
  readonly spoken: Promise<void>;
  readonly ended: Promise<{ code: number | null; signal: string | null; out: string }>;
}

function start(name: keyof typeof SOURCES | "stuck", stdin: "pipe" | "ignore"): Run {
  const changes = join(mkdtempSync(join(folder, "run-")), "changes");
  const args = ["--conditions=@lapstrake/source", "--disable-warning=ExperimentalWarning", join(folder, "payload.mjs")];
  const child = spawn(execPath, [...args, join(folder, `${name}.wasm`), changes], {
    stdio: [stdin, "pipe", "inherit"],
  });
  let out = "";
  const spoken = new Promise<void>((resolve) => {
    child.stdout!.on("data", (chunk: Buffer) => {
      out += chunk.toString();
      resolve();
    });
  });
  const ended = new Promise<{ code: number | null; signal: string | null; out: string }>((resolve) => {
    child.on("close", (code, signal) => resolve({ code, signal, out }));
  });
  return { child, changes, spoken, ended };
}

describe("stdin", () => {
  it("streams from a pipe, in pieces, to the end", async () => {
    const { child, spoken, ended } = start("copies", "pipe");
    child.stdin!.write("first ");
    await spoken;
    child.stdin!.end("x".repeat(200_000));
    expect(await ended).toMatchObject({ code: 3, out: `first ${"x".repeat(200_000)}` });
  });

  it("ends at once when it is /dev/null", async () => {
    expect(await start("copies", "ignore").ended).toMatchObject({ code: 3, out: "" });
  });
});

describe("signals", () => {
  it.each(["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT"] as const)(
    "%s ends a spinning guest and keeps its files",
    async (name) => {
      const { child, changes, spoken, ended } = start("spins", "pipe");
      await spoken;
      child.kill(name);
      expect(await ended).toMatchObject({ code: 128 + constants.signals[name], signal: null });
      expect(JSON.parse(readFileSync(changes, "utf8"))).toEqual([{ kind: "A", path: "/d" }]);
    },
  );

  it.each(["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT"] as const)(
    "%s and SIGINT end a spinning guest of the main thread, which has the files and reports the first",
    async (name) => {
      const { child, changes, spoken, ended } = start("spins", "ignore");
      await spoken;
      child.kill(name);
      child.kill("SIGINT");
      expect(await ended).toMatchObject({ code: 128 + constants.signals[name], signal: null });
      expect(JSON.parse(readFileSync(changes, "utf8"))).toEqual([{ kind: "A", path: "/d" }]);
    },
  );

  it("SIGTERM and SIGINT end a guest of the main thread that sleeps", async () => {
    const { child, changes, spoken, ended } = start("sleeps", "ignore");
    await spoken;
    child.kill("SIGTERM");
    child.kill("SIGINT");
    expect(await ended).toMatchObject({ code: 143, signal: null });
    expect(JSON.parse(readFileSync(changes, "utf8"))).toEqual([]);
  });

  it("SIGTERM ends a thread that notices nothing", async () => {
    const { child, spoken, ended } = start("stuck", "pipe");
    await spoken;
    child.kill("SIGTERM");
    expect(await ended).toMatchObject({ code: 143, signal: null });
  });

  it("SIGTERM ends a guest that waits for stdin", async () => {
    const { child, spoken, ended } = start("copies", "pipe");
    child.stdin!.write("x");
    await spoken;
    child.kill("SIGTERM");
    expect(await ended).toMatchObject({ code: 143 });
  });
});
