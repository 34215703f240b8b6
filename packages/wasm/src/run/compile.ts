// Bytes to a compiled module: the kind is checked, the memory limited, and V8's complaint becomes a clear error.
import { LapError } from "@lapstrake/base";
import { limitMemory } from "../binary/memory-limit.ts";
import { Wasm, type WasmModule } from "../webassembly.ts";
import { mustDetectWasm } from "./detect.ts";

/** Compiles a core module; `memoryBytes` caps each of its memories. Components are `unimplemented` here. */
export function compileModule(bytes: Uint8Array<ArrayBuffer>, memoryBytes?: number): WasmModule {
  const kind = mustDetectWasm(bytes);
  if (kind !== "module") throw notAModule(kind);
  const limited = memoryBytes === undefined ? bytes : limitMemory(bytes, memoryBytes);
  try {
    return new Wasm.Module(limited);
  } catch (cause) {
    throw new LapError("invalidArgument", "ERR_LAP_WASM_INVALID", `not a valid module: ${(cause as Error).message}`, {
      cause,
    });
  }
}

function notAModule(kind: string): LapError {
  return new LapError("unimplemented", "ERR_LAP_WASM_KIND", `a ${kind} cannot be compiled as a core module`);
}
