// The guests of the Wasm benchmarks, assembled when a suite opens.
import { readFileSync } from "node:fs";
import { compileModule, type WasmModule } from "@lapstrake/wasm";
import { parseWat } from "@lapstrake/wasm/component";

/** A text guest of wasm/wat, compiled. */
export async function guestModule(name: string): Promise<WasmModule> {
  return compileModule(await guestBytes(name));
}

/** The same, as bytes. */
export async function guestBytes(name: string): Promise<Uint8Array<ArrayBuffer>> {
  return parseWat(readFileSync(new URL(`../wasm/wat/${name}.wat`, import.meta.url), "utf8"));
}
