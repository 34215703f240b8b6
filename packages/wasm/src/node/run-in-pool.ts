// A run in a worker of the pool: the layers go there, streams flow through rings, what was changed comes back as a layer.
import { LapError, type ErrorKind } from "@lapstrake/base";
import { mergeOnto, type MergedTree, type UnionFs } from "@lapstrake/layers";
import { Ring } from "../io/ring.ts";
import { interruptedExit } from "../run/exit.ts";
import { Interrupt, REASON } from "../run/interrupt.ts";
import { Collector, type WasmResult, type WasmRun } from "../run/run-wasm.ts";
import type { WasmModule } from "../webassembly.ts";
import { runJob } from "./pool.ts";
import type { Job, JobDone } from "./pool-job.ts";
import { shipTree, unshipLayer, type ShippedTree } from "./ship.ts";

/** A run over a union filesystem. */
export type PoolRun = Omit<WasmRun, "fs"> & { readonly fs: UnionFs };

/** Runs `module`, or what is named, in a worker and applies what it changed. */
export async function runInPool(run: PoolRun, module: WasmModule | undefined): Promise<WasmResult> {
  // It may have come while this file was loaded; what comes later is heard.
  run.signal?.throwIfAborted();
  const rings = { stdin: Ring.create("pipe"), stdout: Ring.create("pipe"), stderr: Ring.create("pipe") };
  const interrupt = new Interrupt();
  const merged = mergedOf(run.fs);
  const job: Job = {
    module,
    base: { id: merged.id, tree: undefined },
    ...quotaOf(run.fs),
    args: run.args ?? ["guest"],
    env: { PWD: run.cwd ?? "/", ...run.env },
    cwd: run.cwd ?? "/",
    limits: run.limits ?? {},
    word: interrupt.word as Int32Array<SharedArrayBuffer>,
    stdin: rings.stdin.share,
    stdout: rings.stdout.share,
    stderr: rings.stderr.share,
  };
  const onAbort = (): void => interrupt.raise(REASON.terminated);
  run.signal?.addEventListener("abort", onAbort);
  const out = new Collector(run.stdout);
  const err = new Collector(run.stderr);
  const pumps = [feed(rings.stdin, run.stdin), drain(rings.stdout, out), drain(rings.stderr, err)];
  try {
    let reason: number = REASON.terminated;
    const onCpu = (): void => {
      reason = REASON.cpu;
      interrupt.raise(reason);
    };
    const done = await runJob(job, merged.tree, { signal: run.signal, cpuMs: run.limits?.cpuMs, onCpu });
    for (const ring of [rings.stdout, rings.stderr]) ring.closeWriter();
    rings.stdin.closeReader();
    await Promise.all(pumps.slice(1));
    return { ...settle(done, run.fs, reason), stdout: out.bytes(), stderr: err.bytes() };
  } finally {
    run.signal?.removeEventListener("abort", onAbort);
  }
}

function settle(done: JobDone | undefined, fs: UnionFs, reason: number): Omit<WasmResult, "stdout" | "stderr"> {
  if (done === undefined) return interruptedExit(reason, undefined);
  const error = done.error === undefined ? undefined : restoreError(done.error);
  if (done.failed && error !== undefined) throw error;
  fs.adopt(unshipLayer(done.upper));
  return { ...done.exit, ...(error === undefined ? {} : { error }) };
}

function restoreError({ kind, code, message, hint, detail }: NonNullable<JobDone["error"]>): LapError {
  return new LapError(kind as ErrorKind, code, message, {
    ...(hint === undefined ? {} : { hint }),
    ...(detail === undefined ? {} : { detail: detail as Readonly<Record<string, unknown>> }),
  });
}

interface Merged {
  readonly id: number;
  readonly tree: () => ShippedTree;
}

const shipped = new WeakMap<MergedTree, Merged>();
let lastId = 0;

/** What the guest sees below: the layers alone when nothing was changed yet, so that runs over one image share one message. */
function mergedOf(fs: UnionFs): Merged {
  const changed = fs.changes().length > 0;
  const merged = changed ? mergeOnto(fs.base, fs.upperTree(), "spec") : fs.base;
  const known = shipped.get(merged);
  if (known !== undefined) return known;
  let tree: ShippedTree | undefined;
  lastId += 1;
  const fresh: Merged = { id: lastId, tree: () => (tree ??= shipTree(merged)) };
  shipped.set(merged, fresh);
  return fresh;
}

/** What is left of the filesystem's quota is the guest's. */
function quotaOf(fs: UnionFs): { maxBytes: number; maxInodes: number } {
  const { freeBytes, freeInodes } = fs.statfs();
  return { maxBytes: freeBytes, maxInodes: freeInodes };
}

async function feed(ring: Ring, stdin: WasmRun["stdin"]): Promise<void> {
  if (typeof stdin === "string") await ring.write(new TextEncoder().encode(stdin));
  else if (stdin instanceof Uint8Array) await ring.write(stdin);
  else if (stdin !== undefined) for await (const chunk of stdin) if (!(await ring.write(chunk))) break;
  ring.closeWriter();
}

async function drain(ring: Ring, into: Collector): Promise<void> {
  for await (const chunk of ring.chunks()) await into.take(chunk);
}
