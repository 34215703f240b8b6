// The official preview1 programs (WebAssembly/wasi-testsuite, branch prod/testsuite-base). They stay outside the repository:
// LAPSTRAKE_WASI_TESTSUITE names a checkout. Each program is one test, on a fresh filesystem with its fixture folder as "/".
import { existsSync, readFileSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { toByteString } from "@lapstrake/base";
import { OPEN, UnionFs, type Ino } from "@lapstrake/layers";
import { bytesInput, chunkOutput, compileModule, runModule } from "@lapstrake/wasm";
import { describe, expect, it } from "vitest";

const ROOT = process.env["LAPSTRAKE_WASI_TESTSUITE"] ?? "";
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

describe.skipIf(ROOT === "")("wasi-testsuite preview1 (LAPSTRAKE_WASI_TESTSUITE)", () => {
  it("has its 72 programs", () => {
    expect(PROGRAMS).toHaveLength(72);
  });

  it.each(PROGRAMS)("$name", (program) => {
    const { args = [], env = {}, root, exit_code: exitCode = 0, stdout } = specification(program);
    const fs = UnionFs.create([]);
    if (root !== undefined) copyInto(fs, fs.mkdir(fs.root, "tests", 0o755), join(program.folder, root));
    let out = "";
    let err = "";
    const exit = runModule({
      fs,
      module: compileModule(new Uint8Array(readFileSync(join(program.folder, `${program.name}.wasm`)))),
      args: [`${program.name}.wasm`, ...args],
      env,
      preopens: root === undefined ? {} : { "/": "/tests" },
      stdin: bytesInput(new Uint8Array(0)),
      stdout: chunkOutput((chunk) => (out += Buffer.from(chunk).toString("latin1"))),
      stderr: chunkOutput((chunk) => (err += Buffer.from(chunk).toString("latin1"))),
    });
    expect(exit.exitCode, err).toBe(exitCode);
    if (stdout !== undefined) expect(out).toBe(stdout);
  });
});
