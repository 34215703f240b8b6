// Small reads of a 0.2 component that only wraps a module: as that module, translated onto our host, and on jco's own shim over a
// folder, which does a fortieth of the reads: its time is multiplied. $LAPSTRAKE_WASI_ADAPTER names the preview1 command adapter.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { env } from "node:process";
import { pathToFileURL } from "node:url";
import { OPEN, UnionFs } from "@lapstrake/layers";
import { runComponent, wrapModule } from "@lapstrake/wasm/component";
import type { Suite, Variant } from "./harness.ts";
import type { OpenSuite } from "./main.ts";
import { guestBytes, guestModule } from "./wasm-guests.ts";
import { nodeWasi } from "./wasm-peers.ts";

const READS = 200_000;
const FEW_READS = 5000;
/** The rate of the plan: 100,000 small reads a second. */
const PLANNED_MS = 2000;
const FILE = new Uint8Array(65_536).fill(7);

function union(): UnionFs {
  const fs = UnionFs.create([]);
  const { handle } = fs.create(fs.root, "data", 0o644, OPEN.write);
  fs.write(handle, FILE, 0, FILE.length, 0);
  fs.close(handle);
  return fs;
}

function ours(component: Uint8Array<ArrayBuffer>, cacheDir: string, bypass: boolean): Variant {
  return {
    name: bypass ? "ours, the module inside" : "ours, translated",
    async run() {
      const args = ["ops", "r", "data"];
      const { exitCode } = await runComponent({ fs: union(), component, args, bypass, cacheDir });
      if (exitCode !== 0) throw new Error(`ops exited ${exitCode}`);
    },
  };
}

interface Shim {
  readonly _setArgs: (args: readonly string[]) => void;
  readonly _setPreopens: (preopens: Readonly<Record<string, string>>) => void;
}

/** The component translated by jco with its own shim, in a folder where the shim is found. */
async function jcoShim(component: Uint8Array<ArrayBuffer>, folder: string): Promise<Variant> {
  const wasm = createRequire(join(import.meta.dirname, "../packages/wasm/package.json"));
  const jco = createRequire(wasm.resolve("@bytecodealliance/jco-transpile"));
  const { transpileBytes } = (await import(pathToFileURL(wasm.resolve("@bytecodealliance/jco-transpile")).href)) as {
    transpileBytes: (bytes: Uint8Array, options: object) => Promise<{ files: Record<string, Uint8Array> }>;
  };
  const shims = ["cli", "filesystem"].map((name) => jco.resolve(`@bytecodealliance/preview2-shim/${name}`));
  const [cli, filesystem] = (await Promise.all(shims.map((file) => import(pathToFileURL(file).href)))) as [Shim, Shim];
  const names = ["cli", "clocks", "filesystem", "io", "random", "sockets"];
  const map = Object.fromEntries(
    names.map((name) => [
      `wasi:${name}/*`,
      `${pathToFileURL(jco.resolve(`@bytecodealliance/preview2-shim/${name}`)).href}#*`,
    ]),
  );
  const { files } = await transpileBytes(component, {
    name: "main",
    map,
    wasiShim: false,
    emitTypescriptDeclarations: false,
  });
  for (const [name, bytes] of Object.entries(files)) writeFileSync(join(folder, name), bytes);
  filesystem._setPreopens({ "/": folder });
  cli._setArgs(["ops", "q", "data"]);
  const { run } = (await import(pathToFileURL(join(folder, "main.js")).href)) as { run: { run: () => void } };
  return {
    name: "jco's shim",
    run() {
      const started = performance.now();
      run.run();
      return Promise.resolve((performance.now() - started) * (READS / FEW_READS));
    },
  };
}

/** Opens the suite. */
export async function open(): Promise<OpenSuite> {
  const adapter = env["LAPSTRAKE_WASI_ADAPTER"];
  if (adapter === undefined) throw new Error("LAPSTRAKE_WASI_ADAPTER names no preview1 command adapter");
  const folder = mkdtempSync(join(tmpdir(), "lap-bench-wasm-"));
  writeFileSync(join(folder, "data"), FILE);
  writeFileSync(join(folder, "package.json"), '{"type":"module"}');
  const component = await wrapModule(await guestBytes("ops"), readFileSync(adapter));
  const module = await guestModule("ops");
  const suite: Suite = {
    title: "200,000 reads of 64 bytes by a 0.2 component",
    reference: "100,000 reads a second",
    rounds: 5,
    warmup: 1,
    variants: [
      ours(component, join(folder, "cache"), true),
      ours(component, join(folder, "cache"), false),
      await jcoShim(component, folder),
      {
        name: "node:wasi, the module",
        run: () => Promise.resolve(nodeWasi(module, ["ops", "r", "data"], folder)),
      },
      { name: "100,000 reads a second", run: () => Promise.resolve(PLANNED_MS) },
    ],
    thresholds: [
      { subject: "ours, translated", reference: "100,000 reads a second", atMost: 1 },
      { subject: "ours, the module inside", reference: "jco's shim", atMost: 1 / 20 },
    ],
  };
  return {
    suite,
    [Symbol.asyncDispose]() {
      rmSync(folder, { recursive: true, force: true });
      return Promise.resolve();
    },
  };
}
