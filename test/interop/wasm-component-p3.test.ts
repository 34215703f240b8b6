// The official 0.3 programs without network (WebAssembly/wasi-testsuite, branch prod/testsuite-base). They stay outside the
// repository: LAPSTRAKE_WASI_TESTSUITE names a checkout. Translations are kept in a folder of the run, removed afterwards.
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { toByteString } from "@lapstrake/base";
import { OPEN, UnionFs, type Ino } from "@lapstrake/layers";
import { bytesInput, chunkOutput, type GuestInput, type WasmExit, type WasmLimits } from "@lapstrake/wasm";
import { runComponent } from "@lapstrake/wasm/component";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { titleUnless } from "../support/facts.ts";

const ROOT = process.env["LAPSTRAKE_WASI_TESTSUITE"] ?? "";
const FOLDER = join(ROOT, "tests/rust/testsuite/wasm32-wasip3");
const NETWORK = /^(?:http|sockets)-/;
const PROGRAMS = ROOT === "" || !existsSync(FOLDER) ? [] : programs();

interface Operation {
  readonly type: "run" | "write" | "read" | "wait";
  readonly env?: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
  readonly id?: "stdin" | "stdout" | "stderr";
  readonly payload?: string;
  readonly exit_code?: number;
}

interface Specification {
  readonly root?: string;
  readonly operations?: readonly Operation[];
}

function programs(): string[] {
  const files = readdirSync(FOLDER).filter((name) => name.endsWith(".wasm") && !NETWORK.test(name));
  return files.map((name) => name.slice(0, -".wasm".length));
}

function specification(name: string): Specification {
  const file = join(FOLDER, `${name}.json`);
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Specification) : {};
}

function copyInto(fs: UnionFs, dir: Ino, folder: string): void {
  for (const name of readdirSync(folder)) {
    const bytes = readFileSync(join(folder, name));
    const { handle } = fs.create(dir, toByteString(name), 0o644, OPEN.write);
    fs.write(handle, bytes, 0, bytes.length, 0);
    fs.close(handle);
  }
}

/** What the guest is to read and to have written, from the steps of a specification. */
function payload(operations: readonly Operation[], type: "read" | "write", id: string): string {
  return operations.flatMap((step) => (step.type === type && step.id === id ? [step.payload ?? ""] : [])).join("");
}

describe.skipIf(PROGRAMS.length === 0)(
  titleUnless(PROGRAMS.length === 0, "env:LAPSTRAKE_WASI_TESTSUITE", "wasi-testsuite 0.3 without network"),
  () => {
    let cacheDir: string;
    beforeAll(() => {
      cacheDir = mkdtempSync(join(tmpdir(), "lap-p3-"));
    });
    afterAll(() => rmSync(cacheDir, { recursive: true }));

    it("has its 25 programs", () => {
      expect(PROGRAMS).toHaveLength(25);
    });

    it.each(PROGRAMS)("%s", async (name) => {
      const { root, operations = [] } = specification(name);
      const fs = UnionFs.create([]);
      const { ino } = fs.getattr(fs.mkdir(fs.root, "tests", 0o755));
      if (root !== undefined) copyInto(fs, ino, join(FOLDER, root));
      const start = operations.find(({ type }) => type === "run");
      const out = { stdout: "", stderr: "" };
      const take = (stream: keyof typeof out): ReturnType<typeof chunkOutput> =>
        chunkOutput((chunk) => (out[stream] += Buffer.from(chunk).toString("latin1")));
      const { exitCode, error } = await runComponent({
        fs,
        component: new Uint8Array(readFileSync(join(FOLDER, `${name}.wasm`))),
        cacheDir,
        args: [`${name}.wasm`, ...(start?.args ?? [])],
        env: start?.env ?? {},
        preopens: root === undefined ? {} : { [root]: "/tests" },
        stdin: bytesInput(new TextEncoder().encode(payload(operations, "write", "stdin"))),
        stdout: take("stdout"),
        stderr: take("stderr"),
        limits: { timeoutMs: 60_000 },
      });
      expect([exitCode, error?.message], out.stderr).toEqual([
        operations.find(({ type }) => type === "wait")?.exit_code ?? 0,
        undefined,
      ]);
      for (const stream of ["stdout", "stderr"] as const)
        expect(out[stream]).toContain(payload(operations, "read", stream));
    });

    const roundtrip = (limits: WasmLimits, stdin: GuestInput): Promise<WasmExit> =>
      runComponent({
        fs: UnionFs.create([]),
        component: new Uint8Array(readFileSync(join(FOLDER, "cli-stdio-roundtrip.wasm"))),
        cacheDir,
        args: ["roundtrip"],
        stdin,
        limits,
      });

    it("ends a guest that writes too much", async () => {
      const { reason, error, exitCode } = await roundtrip({ outputBytes: 3 }, bytesInput(new Uint8Array(100)));
      expect([reason, error?.code, exitCode]).toEqual(["limit", "ERR_LAP_WASM_OUTPUT", 153]);
    });

    it("ends a guest that waits too long", async () => {
      const silent: GuestInput = { kind: "pipe", ready: () => 0, read: () => 0, wait: () => undefined };
      const { reason, error, exitCode } = await roundtrip({ timeoutMs: 100 }, silent);
      expect([reason, error?.code, exitCode]).toEqual(["limit", "ERR_LAP_WASM_TIMEOUT", 124]);
    });
  },
);
