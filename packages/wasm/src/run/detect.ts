// What kind of WebAssembly a file is, by its first eight bytes: core modules have version 1 and layer 0, components version
// 0x0d and layer 1 (Binary.md of the component model). Text is recognised by its first token.
import { LapError } from "@lapstrake/base";

export type WasmKind = "module" | "component" | "wat";

/** Bytes that the answer needs. */
export const DETECT_BYTES = 64;

/** Kind of `bytes`, undefined when it is not WebAssembly. */
export function detectWasm(bytes: Uint8Array): WasmKind | undefined {
  if (bytes.length >= 8 && bytes[0] === 0 && bytes[1] === 0x61 && bytes[2] === 0x73 && bytes[3] === 0x6d) {
    return bytes[6] === 1 ? "component" : bytes[4] === 1 ? "module" : undefined;
  }
  return /^\s*(?:;;[^\n]*\n\s*)*\(\s*(?:module|component)\b/.test(latin1(bytes)) ? "wat" : undefined;
}

/** The kind, or a clear error for anything else. */
export function mustDetectWasm(bytes: Uint8Array, name = "the program"): WasmKind {
  const kind = detectWasm(bytes);
  if (kind !== undefined) return kind;
  throw new LapError("invalidArgument", "ERR_LAP_WASM_FORMAT", `${name} is not WebAssembly`, {
    hint: "a WebAssembly file starts with the bytes 00 61 73 6d; a Linux program needs an image of a Linux platform",
  });
}

function latin1(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes.subarray(0, DETECT_BYTES * 16));
}
