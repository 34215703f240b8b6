// node:wasi as a peer: the same module on a folder of the machine.
import { closeSync, openSync } from "node:fs";
import { WASI } from "node:wasi";
import type { WasmModule } from "@lapstrake/wasm";

/** Runs a command; throws when it does not exit 0. */
export function nodeWasi(module: WasmModule, args: readonly string[], folder: string | undefined): void {
  const sink = openSync("/dev/null", "w");
  try {
    const wasi = new WASI({
      version: "preview1",
      args: [...args],
      ...(folder === undefined ? {} : { preopens: { "/": folder } }),
      returnOnExit: true,
      stdout: sink,
    });
    const { Instance } = (
      globalThis as unknown as { WebAssembly: { Instance: new (module: WasmModule, imports: object) => object } }
    ).WebAssembly;
    const code = wasi.start(new Instance(module, wasi.getImportObject() as object));
    if (code !== 0) throw new Error(`node:wasi: exit ${code}`);
  } finally {
    closeSync(sink);
  }
}
