// Start to end of a compiled "hello": in this thread, in a warm worker of the pool, with node:wasi, and Node itself doing nothing.
import { execFileSync } from "node:child_process";
import { execPath } from "node:process";
import { UnionFs } from "@lapstrake/layers";
import { runWasm, type WasmModule } from "@lapstrake/wasm";
import { closePool, warmPool } from "@lapstrake/wasm/node";
import type { Suite, Variant } from "./harness.ts";
import type { OpenSuite } from "./main.ts";
import { nodeWasi } from "./wasm-peers.ts";
import { guestModule } from "./wasm-guests.ts";

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
  run: () => Promise.resolve(void execFileSync(execPath, ["-e", "0"])),
};

/** Opens the suite. */
export async function open(): Promise<OpenSuite> {
  const module = await guestModule("hello");
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
      bareNode,
    ],
    thresholds: [
      { subject: "in thread", reference: "bare Node", atMost: 0.5 / 33 },
      { subject: "pooled worker", reference: "bare Node", atMost: 3 / 33 },
    ],
  };
  return { suite, [Symbol.asyncDispose]: closePool };
}
