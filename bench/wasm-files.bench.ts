// File calls of a guest: ours over the union filesystem, node:wasi over a folder, and memcpy of the same bytes.
// One variant is one run of wasm/wat/ops.wat, which repeats a call often enough for its start not to matter.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { OPEN, UnionFs } from "@lapstrake/layers";
import { runWasm, type WasmModule } from "@lapstrake/wasm";
import type { Suite, Threshold, Variant } from "./harness.ts";
import type { OpenSuite } from "./main.ts";
import { nodeWasi } from "./wasm-peers.ts";
import { guestModule } from "./wasm-guests.ts";

const FILE_BYTES = 65_536;
const MODES = { "64 B reads": "r", stats: "s", "open+close": "o", "64 KiB reads": "R", "64 KiB writes": "W" } as const;
const BLOCKS = 4000;

function union(): UnionFs {
  const fs = UnionFs.create([]);
  const { handle } = fs.create(fs.root, "data", 0o644, OPEN.write);
  fs.write(handle, new Uint8Array(FILE_BYTES).fill(7), 0, FILE_BYTES, 0);
  fs.close(handle);
  return fs;
}

function ours(module: WasmModule, title: string, mode: string): Variant {
  const fs = union();
  return {
    name: `${title}, ours`,
    async run() {
      const { exitCode } = await runWasm({ fs, module, args: ["ops", mode, "data"], placement: "thread" });
      if (exitCode !== 0) throw new Error(`ops ${mode} exited ${exitCode}`);
    },
  };
}

function peer(module: WasmModule, title: string, mode: string, folder: string): Variant {
  return { name: `${title}, node:wasi`, run: () => Promise.resolve(nodeWasi(module, ["ops", mode, "data"], folder)) };
}

function memcpy(): Variant {
  const from = new Uint8Array(FILE_BYTES).fill(7);
  const to = new Uint8Array(FILE_BYTES);
  return {
    name: "memcpy of 64 KiB",
    run() {
      for (let i = 0; i < BLOCKS; i++) to.set(from);
      return Promise.resolve();
    },
  };
}

const thresholds: readonly Threshold[] = [
  ...["64 B reads", "stats"].map((title) => ({
    subject: `${title}, ours`,
    reference: `${title}, node:wasi`,
    atMost: 1,
  })),
  { subject: "64 KiB reads, ours", reference: "memcpy of 64 KiB", atMost: 4 },
  { subject: "64 KiB writes, ours", reference: "memcpy of 64 KiB", atMost: 10 },
];

/** Opens the suite. */
export async function open(): Promise<OpenSuite> {
  const module = await guestModule("ops");
  const folder = mkdtempSync(join(tmpdir(), "lap-bench-wasm-"));
  writeFileSync(join(folder, "data"), new Uint8Array(FILE_BYTES).fill(7));
  const pairs = Object.entries(MODES).flatMap(([title, mode]) => [
    ours(module, title, mode),
    peer(module, title, mode, folder),
  ]);
  const suite: Suite = {
    title: "file calls of a guest",
    reference: "memcpy of 64 KiB",
    rounds: 10,
    warmup: 3,
    variants: [...pairs, memcpy()],
    thresholds,
  };
  return {
    suite,
    [Symbol.asyncDispose]() {
      rmSync(folder, { recursive: true, force: true });
      return Promise.resolve();
    },
  };
}
