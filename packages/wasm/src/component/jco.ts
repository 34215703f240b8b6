// The one file that knows jco (Bytecode Alliance): parsing text, taking components apart and translating them to JavaScript.
// Loaded by dynamic import only: it costs over 100 ms.
import { LapError } from "@lapstrake/base";

/** Binary of a module or component in text form. */
export async function parseWat(text: string): Promise<Uint8Array<ArrayBuffer>> {
  const { parse } = await import("@bytecodealliance/jco-transpile/wasm-tools");
  try {
    return new Uint8Array(await parse(text));
  } catch (cause) {
    throw new LapError("invalidArgument", "ERR_LAP_WASM_INVALID", `not valid WebAssembly text: ${messageOf(cause)}`, {
      cause,
    });
  }
}

/** jco throws the variant's payload, which is the message. */
function messageOf(error: unknown): string {
  if (error instanceof Error && "payload" in error) return String(error.payload);
  return error instanceof Error ? error.message : String(error);
}
