// What a module asks for is checked before it is linked: a clear error names what is not granted.
import { LapError } from "@lapstrake/base";
import { PREVIEW1_MODULES, type Preview1Module } from "../p1/imports.ts";
import { WASIX_FUNCTIONS } from "../processes/wasix-names.ts";
import { Wasm, type WasmInstance, type WasmMemory, type WasmModule } from "../webassembly.ts";

/** Import module of what starts other programs. */
export const WASIX_MODULE = "wasix_32v1";

/** The ABI versions a module imports from, checked to be all it imports. */
export function checkImports(module: WasmModule): Set<Preview1Module | typeof WASIX_MODULE> {
  const used = new Set<Preview1Module | typeof WASIX_MODULE>();
  const refused: string[] = [];
  for (const entry of Wasm.Module.imports(module)) {
    if (isPreview1(entry.module) && entry.kind === "function") used.add(entry.module);
    else if (entry.module === WASIX_MODULE && WASIX_FUNCTIONS.includes(entry.name)) used.add(WASIX_MODULE);
    else refused.push(`${entry.module}.${entry.name}`);
  }
  if (refused.length > 0) throw notGranted(refused);
  return used;
}

function isPreview1(name: string): name is Preview1Module {
  return Object.hasOwn(PREVIEW1_MODULES, name);
}

const SHOWN = 5;

function notGranted(names: readonly string[]): LapError {
  const shown = names.slice(0, SHOWN).join(", ") + (names.length > SHOWN ? ` and ${names.length - SHOWN} more` : "");
  return new LapError("failedPrecondition", "ERR_LAP_WASM_IMPORT", `the module imports what is not granted: ${shown}`, {
    hint: "the sandbox offers wasi_snapshot_preview1, wasi_unstable and the spawn calls of wasix_32v1; build the program for wasm32-wasip1",
    detail: { imports: [...names] },
  });
}

/** The entry point of a command. */
export function startFunction(instance: WasmInstance): () => unknown {
  const start = instance.exports["_start"];
  if (typeof start === "function") return start as () => unknown;
  throw new LapError("failedPrecondition", "ERR_LAP_WASM_ENTRY", "the module exports no _start function", {
    hint: "it is a library (a reactor), not a command: build it as a command",
  });
}

/** The memory host calls work on; modules that never call the host may have none. */
export function exportedMemory(instance: WasmInstance): WasmMemory | undefined {
  const memory = instance.exports["memory"];
  return memory instanceof Wasm.Memory ? memory : undefined;
}
