// The cache of translated components: concurrent processes, killed ones, and what they leave behind.
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { UnionFs } from "@lapstrake/layers";
import { parseWat, runComponent } from "@lapstrake/wasm/component";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

/** A 0.2 command in text form that does nothing but end well. */
const COMMAND = `(component
  (core module $m (func (export "run") (result i32) (i32.const 0)))
  (core instance $i (instantiate $m))
  (func $run (result (result)) (canon lift (core func $i "run")))
  (instance $iface (export "run" (func $run)))
  (export "wasi:cli/run@0.2.0" (instance $iface)))`;

let cacheDir = "";

beforeEach(() => {
  cacheDir = mkdtempSync(join(tmpdir(), "lap-jco-"));
});

afterEach(() => rmSync(cacheDir, { recursive: true, force: true }));

async function runOnce(): Promise<number> {
  const { exitCode } = await runComponent({
    fs: UnionFs.create([]),
    component: await parseWat(COMMAND),
    cacheDir,
    args: ["command"],
  });
  return exitCode;
}

/** The same in a process of its own; `killAfterMs` kills it with SIGKILL. */
function runApart(killAfterMs?: number): Promise<number | null> {
  const script = `
    import { UnionFs } from "@lapstrake/layers";
    import { parseWat, runComponent } from "@lapstrake/wasm/component";
    const component = await parseWat(process.argv[1]);
    const { exitCode } = await runComponent({ fs: UnionFs.create([]), component, cacheDir: process.argv[2], args: ["x"] });
    process.exitCode = exitCode;`;
  const args = ["--conditions=@lapstrake/source", "--input-type=module", "-e", script, COMMAND, cacheDir];
  const child = spawn(process.execPath, args, { stdio: "ignore", cwd: import.meta.dirname });
  const timer = killAfterMs === undefined ? undefined : setTimeout(() => child.kill("SIGKILL"), killAfterMs);
  return new Promise((resolve) => {
    child.on("exit", (code) => {
      clearTimeout(timer);
      resolve(code);
    });
  });
}

describe("translated components", () => {
  it("are kept, one folder per component, and found again", async () => {
    expect([await runOnce(), await runOnce()]).toEqual([0, 0]);
    expect(readdirSync(cacheDir)).toHaveLength(1);
  });

  it("are translated once for many at the same time, and by many processes without harm", async () => {
    expect(await Promise.all([runOnce(), runOnce(), runApart(), runApart()])).toEqual([0, 0, 0, 0]);
    expect(readdirSync(cacheDir)).toHaveLength(1);
  });

  it("survive killed processes", async () => {
    for (const ms of [150, 300, 450, 600]) await runApart(ms);
    expect(await runOnce()).toBe(0);
    expect(readdirSync(cacheDir).filter((name) => !name.includes(".tmp-"))).toHaveLength(1);
  });

  it("do not collect what killed processes left", async () => {
    const left = join(cacheDir, "x.tmp-1");
    mkdirSync(left);
    utimesSync(left, 1, 1);
    await runOnce();
    expect(readdirSync(cacheDir)).toHaveLength(1);
  });

  it("say what is wrong with a component that is none", async () => {
    const component = new Uint8Array([0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0, 99, 1, 0]);
    await expect(runComponent({ fs: UnionFs.create([]), component, cacheDir, args: ["x"] })).rejects.toMatchObject({
      code: "ERR_LAP_WASM_INVALID",
    });
  });

  it("name the interface that is not granted", async () => {
    const component = await parseWat(
      COMMAND.replace("(component", '(component (import "wasi:keyvalue/store@0.2.0" (instance $s (export "f" (func))))')
        .replace(
          "(core module",
          '(alias export $s "f" (func $f)) (core func $g (canon lower (func $f))) (core instance $x (export "f" (func $g))) (core module',
        )
        .replace("(core module $m", '(core module $m (import "s" "f" (func))')
        .replace("(instantiate $m)", '(instantiate $m (with "s" (instance $x)))'),
    );
    await expect(runComponent({ fs: UnionFs.create([]), component, cacheDir, args: ["x"] })).rejects.toMatchObject({
      code: "ERR_LAP_WASM_IMPORT",
      message: expect.stringContaining("wasi:keyvalue/store"),
    });
  });
});
