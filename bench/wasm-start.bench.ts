// Start to end of a compiled "hello": in this thread, in a warm worker of the pool, as a container of `lap run`, with node:wasi, and
// Node itself doing nothing. `lap run` starts two Nodes, one after the other: the command, and the payload in its sandbox.
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execPath, geteuid } from "node:process";
import { UnionFs } from "@lapstrake/layers";
import { runWasm, type WasmModule } from "@lapstrake/wasm";
import { closePool, warmPool } from "@lapstrake/wasm/node";
import { nativePart } from "../test/support/native.ts";
import { startToExit } from "./commands.ts";
import type { Suite, Variant } from "./harness.ts";
import type { OpenSuite } from "./main.ts";
import { nodeWasi } from "./wasm-peers.ts";
import { guestBytes, guestModule } from "./wasm-guests.ts";

function placed(name: string, module: WasmModule, placement: "thread" | "worker"): Variant {
  const fs = UnionFs.create([]);
  return {
    name,
    async run() {
      const { exitCode } = await runWasm({ fs, module, placement, stdout: () => undefined });
      if (exitCode !== 0) throw new Error(`hello exited ${exitCode}`);
    },
  };
}

const bareNode: Variant = {
  name: "bare Node",
  run: () => startToExit(execPath, ["-e", "0"]),
};

/** A container of its own sandbox, by the command line. */
function lapRun(folder: string): Variant {
  const lap = nativePart("lap");
  const missing = geteuid?.() === 0 ? (existsSync(lap) ? undefined : "native/out (pnpm build)") : "root";
  return {
    name: "lap run",
    ...(missing === undefined ? {} : { missing }),
    run: () => startToExit(lap, ["--root", join(folder, "store"), "run", "--rm", join(folder, "hello.wasm")]),
  };
}

/** Opens the suite. */
export async function open(): Promise<OpenSuite> {
  const module = await guestModule("hello");
  const folder = mkdtempSync(join(tmpdir(), "lap-bench-wasm-"));
  writeFileSync(join(folder, "hello.wasm"), await guestBytes("hello"));
  warmPool();
  const suite: Suite = {
    title: "start of a compiled hello",
    reference: "bare Node",
    rounds: 40,
    warmup: 5,
    variants: [
      placed("in thread", module, "thread"),
      placed("pooled worker", module, "worker"),
      { name: "node:wasi", run: () => Promise.resolve(nodeWasi(module, ["hello"], undefined)) },
      lapRun(folder),
      bareNode,
    ],
    thresholds: [
      { subject: "in thread", reference: "bare Node", atMost: 0.5 / 33 },
      { subject: "pooled worker", reference: "bare Node", atMost: 3 / 33 },
      { subject: "lap run", reference: "bare Node", atMost: 2 },
    ],
  };
  return {
    suite,
    async [Symbol.asyncDispose]() {
      rmSync(folder, { recursive: true, force: true });
      await closePool();
    },
  };
}
