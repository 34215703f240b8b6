import { setTimeout as sleep } from "node:timers/promises";
import { LapError, toByteString } from "@lapstrake/base";
import { OPEN, UnionFs } from "@lapstrake/layers";
import { afterAll, describe, expect, it } from "vitest";
import { closePool } from "../node/pool.ts";
import { CALL, DROP, SPIN, UNREACHABLE, command, i32 } from "../testing/encode.ts";
import { runWasm } from "./run-wasm.ts";

const exits = (code: number): Uint8Array<ArrayBuffer> =>
  command([...i32(code), CALL, 0], [{ name: "proc_exit", parameters: "i", result: false }]);
/** Writes 8 bytes of memory at 0 to stdout for ever. */
const floods: Uint8Array<ArrayBuffer> = command(
  [
    ...i32(0),
    ...i32(16),
    0x36,
    2,
    0,
    ...i32(4),
    ...i32(32),
    0x36,
    2,
    0,
    0x03,
    0x40,
    ...i32(1),
    ...i32(0),
    ...i32(1),
    ...i32(8),
    CALL,
    0,
    DROP,
    0x0c,
    0,
    0x0b,
  ],
  [{ name: "fd_write", parameters: "iiii" }],
);
/** path_create_directory(3, 32, 1) with "d" at 32. */
const makesDir: Uint8Array<ArrayBuffer> = command(
  [...i32(32), 0x41, 0xe4, 0, 0x3a, 0, 0, ...i32(3), ...i32(32), ...i32(1), CALL, 0, CALL, 1],
  [
    { name: "path_create_directory", parameters: "iii" },
    { name: "proc_exit", parameters: "i", result: false },
  ],
);

afterAll(closePool);

describe.each(["thread", "worker"] as const)("placement %s", (placement) => {
  const run = (module: Uint8Array<ArrayBuffer>, more: object = {}): ReturnType<typeof runWasm> =>
    runWasm({ fs: UnionFs.create([]), module, placement, ...more });

  it("passes exit codes through", async () => {
    expect(await run(exits(33))).toMatchObject({ exitCode: 33, reason: "exit" });
    expect(await run(command([]))).toMatchObject({ exitCode: 0, reason: "exit" });
  });

  it("gives a trap the code of a signal, and an error", async () => {
    const exit = await run(command([UNREACHABLE]));
    expect(exit).toMatchObject({ exitCode: 134, reason: "trap", error: { code: "ERR_LAP_WASM_TRAP" } });
    // 1 / 0
    expect(await run(command([...i32(1), ...i32(0), 0x6d, DROP]))).toMatchObject({ exitCode: 136 });
    // recursion without end: function 0 is _start itself
    expect(await run(command([CALL, 0]))).toMatchObject({ exitCode: 139, reason: "trap" });
  });

  it("ends a spinning guest at its time limit", async () => {
    const started = performance.now();
    const exit = await run(command(SPIN), { limits: { timeoutMs: 100 } });
    expect(exit).toMatchObject({ exitCode: 124, reason: "limit", error: { code: "ERR_LAP_WASM_TIMEOUT" } });
    expect(performance.now() - started).toBeGreaterThanOrEqual(95);
  });

  it("ends a flooding guest at its output limit", async () => {
    const exit = await run(floods, { limits: { outputBytes: 1000 } });
    expect(exit).toMatchObject({ exitCode: 153, reason: "limit", error: { code: "ERR_LAP_WASM_OUTPUT" } });
    expect(exit.stdout.length).toBeGreaterThan(900);
    expect(exit.stdout.length).toBeLessThanOrEqual(1000);
  });

  it("refuses a module that needs more memory than allowed", async () => {
    const error: unknown = await run(command([], [], { pages: 4 }), { limits: { memoryBytes: 65_536 } }).catch(
      (e) => e,
    );
    expect(error).toBeInstanceOf(LapError);
    expect(error).toMatchObject({ code: "ERR_LAP_WASM_MEMORY", detail: { needs: 262_144 } });
  });

  it("names imports that are not granted, and what is no command", async () => {
    const env = command([], [{ module: "env", name: "system", parameters: "i" }]);
    await expect(run(env)).rejects.toMatchObject({ code: "ERR_LAP_WASM_IMPORT", detail: { imports: ["env.system"] } });
    await expect(run(command([], [], { entry: "run" }))).rejects.toMatchObject({ code: "ERR_LAP_WASM_ENTRY" });
    await expect(run(new Uint8Array([0x7f, 0x45, 0x4c, 0x46]))).rejects.toMatchObject({ code: "ERR_LAP_WASM_FORMAT" });
  });

  it("brings the guest's changes into the filesystem", async () => {
    const fs = UnionFs.create([]);
    fs.close(fs.create(fs.root, toByteString("before"), 0o644, OPEN.write).handle);
    expect(await run(makesDir, { fs })).toMatchObject({ exitCode: 0 });
    expect(fs.changes().map(({ path }) => path)).toEqual(["/before", "/d"]);
    expect(await run(makesDir, { fs })).toMatchObject({ exitCode: 20 });
  });
});

it("ends a spinning guest in a worker when its signal aborts", async () => {
  const abort = new AbortController();
  setTimeout(() => abort.abort(), 50);
  const exit = await runWasm({ fs: UnionFs.create([]), module: command(SPIN), signal: abort.signal });
  expect(exit).toMatchObject({ exitCode: 137, reason: "signal" });
});

it("keeps no worker that it told to end, and lets one be that ended in time", async () => {
  const script = (text: string, signal?: AbortSignal): ReturnType<typeof runWasm> =>
    runWasm({ fs: UnionFs.create([]), args: ["sh", "-c", text], ...(signal === undefined ? {} : { signal }) });
  for (const pauseMs of [0, 40]) {
    const abort = new AbortController();
    await script("exit 0");
    setTimeout(() => abort.abort(), 20);
    expect(await script("while :; do :; done", abort.signal)).toMatchObject({ reason: "signal" });
    await sleep(pauseMs);
    // Longer than a worker is given to end.
    const spin = "i=0; while [ $i -lt 9999 ]; do i=$((i+1)); done; exit 7";
    expect(await script(spin)).toMatchObject({ exitCode: 7, reason: "exit" });
  }
});
