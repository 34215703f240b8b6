// The official preview1 programs (WebAssembly/wasi-testsuite, branch prod/testsuite-base). They stay outside the repository:
// LAPSTRAKE_WASI_TESTSUITE names a checkout. Each program is one test, on a fresh filesystem with its fixture folder as "/".
import { existsSync, readFileSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { toByteString } from "@lapstrake/base";
import { OPEN, UnionFs, type Ino } from "@lapstrake/layers";
import { bytesInput, chunkOutput, compileModule, runModule, type ModuleRun, type WasmExit } from "@lapstrake/wasm";
import { runComponent, wrapModule } from "@lapstrake/wasm/component";
import { describe, expect, it } from "vitest";
import { titleUnless } from "../support/facts.ts";

const ROOT = process.env["LAPSTRAKE_WASI_TESTSUITE"] ?? "";
/** The adapter of wasmtime for commands: lib/wasi_snapshot_preview1.command.wasm of the npm package @bytecodealliance/jco. */
const ADAPTER = process.env["LAPSTRAKE_WASI_ADAPTER"] ?? "";
const FOLDERS = ["rust", "c", "assemblyscript"].map((name) => join(ROOT, "tests", name, "testsuite/wasm32-wasip1"));
const PROGRAMS = ROOT === "" ? [] : FOLDERS.flatMap((folder) => programsOf(folder));

interface Program {
  readonly folder: string;
  readonly name: string;
}

interface Specification {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly root?: string;
  readonly exit_code?: number;
  readonly stdout?: string;
}

function programsOf(folder: string): Program[] {
  const names = readdirSync(folder).filter((name) => name.endsWith(".wasm"));
  return names.map((name) => ({ folder, name: name.slice(0, -".wasm".length) }));
}

function specification({ folder, name }: Program): Specification {
  const file = join(folder, `${name}.json`);
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Specification) : {};
}

/** Copies a folder of the machine into `dir`; leftovers of other hosts' runs stay out. */
function copyInto(fs: UnionFs, dir: Ino, folder: string): void {
  for (const name of readdirSync(folder).filter((entry) => !entry.endsWith(".cleanup"))) {
    const source = join(folder, name);
    if (statSync(source).isDirectory()) {
      copyInto(fs, fs.mkdir(dir, toByteString(name), 0o755), source);
      continue;
    }
    const bytes = readFileSync(source);
    const { handle } = fs.create(dir, toByteString(name), 0o644, OPEN.write);
    fs.write(handle, bytes, 0, bytes.length, 0);
    fs.close(handle);
  }
}

interface Outcome {
  readonly exitCode: number;
  readonly out: string;
  readonly err: string;
}

type Runner = (bytes: Uint8Array<ArrayBuffer>, common: Omit<ModuleRun, "module">) => WasmExit | Promise<WasmExit>;

async function outcome(program: Program, runner: Runner): Promise<Outcome> {
  const { args = [], env = {}, root } = specification(program);
  const fs = UnionFs.create([]);
  if (root !== undefined) copyInto(fs, fs.mkdir(fs.root, "tests", 0o755), join(program.folder, root));
  let out = "";
  let err = "";
  const exit = await runner(new Uint8Array(readFileSync(join(program.folder, `${program.name}.wasm`))), {
    fs,
    args: [`${program.name}.wasm`, ...args],
    env,
    preopens: root === undefined ? {} : { "/": "/tests" },
    stdin: bytesInput(new Uint8Array(0)),
    stdout: chunkOutput((chunk) => (out += Buffer.from(chunk).toString("latin1"))),
    stderr: chunkOutput((chunk) => (err += Buffer.from(chunk).toString("latin1"))),
  });
  return { exitCode: exit.exitCode, out, err };
}

describe.skipIf(ROOT === "")(
  titleUnless(ROOT === "", "env:LAPSTRAKE_WASI_TESTSUITE", "wasi-testsuite preview1"),
  () => {
    it("has its 72 programs", () => {
      expect(PROGRAMS).toHaveLength(72);
    });

    it.each(PROGRAMS)("$name", async (program) => {
      const { exit_code: exitCode = 0, stdout } = specification(program);
      const got = await outcome(program, (bytes, common) => runModule({ ...common, module: compileModule(bytes) }));
      expect(got.exitCode, got.err).toBe(exitCode);
      if (stdout !== undefined) expect(got.out).toBe(stdout);
    });
  },
);

/** What the adapter itself does differently, by the function of it that does. */
const ADAPTER_LIMITS: Readonly<Record<string, string>> = {
  "args_get-multiple-arguments": "args_get: its state page is overwritten by AssemblyScript's own allocator",
  "environ_get-multiple-variables": "environ_get: the same",
  "fd_write-to-invalid-fd": "fd_write: an empty write succeeds before the descriptor is looked at",
};

describe.skipIf(ROOT === "" || ADAPTER === "")(
  titleUnless(
    ROOT === "" || ADAPTER === "",
    "env:LAPSTRAKE_WASI_TESTSUITE, env:LAPSTRAKE_WASI_ADAPTER",
    "the same as 0.2 components, bypass off",
  ),
  () => {
    const programs = PROGRAMS.filter(({ name }) => ADAPTER_LIMITS[name] === undefined);

    it("leaves out only what the adapter cannot do", () => {
      expect(programs).toHaveLength(69);
    });

    it.each(programs)("$name", async (program) => {
      const { exit_code: exitCode = 0, stdout } = specification(program);
      const adapter = new Uint8Array(readFileSync(ADAPTER));
      const got = await outcome(program, async (bytes, common) =>
        runComponent({ ...common, component: await wrapModule(bytes, adapter), bypass: false }),
      );
      // wasi:cli/exit 0.2 knows success and failure only.
      expect(got.exitCode, got.err).toBe(exitCode === 0 ? 0 : 1);
      if (stdout !== undefined) expect(got.out).toBe(stdout);
    });

    it("runs the module inside directly when the bypass is on", async () => {
      const program = PROGRAMS.find(({ name }) => name === "proc_exit-failure")!;
      const adapter = new Uint8Array(readFileSync(ADAPTER));
      const got = await outcome(program, async (bytes, common) =>
        runComponent({ ...common, component: await wrapModule(bytes, adapter) }),
      );
      expect(got.exitCode).toBe(33);
    });
  },
);
