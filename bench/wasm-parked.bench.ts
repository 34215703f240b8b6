// What a parked guest costs in memory: instances of one compiled module that wait in a read, each in its own worker, above as many
// warm workers of the pool that wait for work. Not milliseconds but MB of this process. The small guest is "hello"-sized; the large
// one has 20,000 functions, whose code all instances share. A guest's own initialised data and used memory are its own: they come on top.
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { UnionFs } from "@lapstrake/layers";
import { compileModule, runWasm, type WasmModule } from "@lapstrake/wasm";
import { parseWat } from "@lapstrake/wasm/component";
import { closePool, warmPool } from "@lapstrake/wasm/node";
import type { Suite, Variant } from "./harness.ts";
import type { OpenSuite } from "./main.ts";

const INSTANCES = 16;
const PLANNED_MB = 2;
const SETTLE_MS = 400;
const KIB_PER_MB = 1024;

/** Says "+", reads stdin to its end; `functions` more are there, a quarter of them in its table. */
function source(functions: number): string {
  const body = "(i32.mul (i32.add (local.get 0) (i32.const 7)) (i32.const 9))";
  const more = Array.from({ length: functions }, (_, i) => {
    return `(func $f${i} (param i32) (result i32) ${`(local.set 0 ${body})`.repeat(20)} (local.get 0))`;
  });
  const names = more
    .slice(0, functions / 4)
    .map((_, i) => `$f${i}`)
    .join(" ");
  return `(module (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 16) (data (i32.const 32) "+")
    (func (export "_start")
      (i32.store (i32.const 0) (i32.const 32)) (i32.store (i32.const 4) (i32.const 1))
      (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
      (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8))))
    (table ${functions / 4} funcref) (elem (i32.const 0) ${functions === 0 ? "func" : names})
    ${more.join("\n")})`;
}

/** The collector, without a flag on the command line. */
function collector(): () => void {
  setFlagsFromString("--expose-gc");
  return runInNewContext("gc") as () => void;
}

const collect = collector();

/** This process's share of pages that are in memory, when its garbage is gone. */
async function residentMb(): Promise<number> {
  await sleep(SETTLE_MS);
  collect();
  collect();
  const line = /^Pss:\s+(\d+) kB/m.exec(readFileSync("/proc/self/smaps_rollup", "utf8"));
  return Number(line?.[1]) / KIB_PER_MB;
}

/** Runs INSTANCES guests at once; they end when `release` is called. */
function park(module: WasmModule): { readonly waiting: Promise<unknown>; release(): Promise<void> } {
  const { promise: held, resolve: letGo } = Promise.withResolvers<void>();
  async function* stdin(): AsyncGenerator<Uint8Array> {
    await held;
    yield new Uint8Array(1);
  }
  const parked = Array.from({ length: INSTANCES }, () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const run = runWasm({ fs: UnionFs.create([]), module, stdin: stdin(), stdout: () => resolve() });
    return { waiting: promise, run };
  });
  return {
    waiting: Promise.all(parked.map(({ waiting }) => waiting)),
    async release() {
      letGo();
      await Promise.all(parked.map(({ run }) => run));
    },
  };
}

function variant(name: string, module: WasmModule): Variant {
  return {
    name,
    async run() {
      warmPool(INSTANCES);
      const before = await residentMb();
      const guests = park(module);
      await guests.waiting;
      const parked = await residentMb();
      await guests.release();
      await closePool();
      return Math.max(0, (parked - before) / INSTANCES);
    },
  };
}

/** Opens the suite. */
export async function open(): Promise<OpenSuite> {
  const small = compileModule(await parseWat(source(0)));
  const large = compileModule(await parseWat(source(20_000)));
  const suite: Suite = {
    title: `memory of ${INSTANCES} parked guests, MB each above the pool`,
    reference: "2 MB",
    rounds: 5,
    warmup: 1,
    variants: [
      variant("small", small),
      variant("20,000 functions", large),
      { name: "2 MB", run: () => Promise.resolve(PLANNED_MB) },
    ],
    thresholds: [
      { subject: "small", reference: "2 MB", atMost: 1 },
      { subject: "20,000 functions", reference: "2 MB", atMost: 1 },
    ],
  };
  return { suite, [Symbol.asyncDispose]: closePool };
}
