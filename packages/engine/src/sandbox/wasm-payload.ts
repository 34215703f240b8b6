// The verb `_wasm`: the payload process of a Wasm container. This is its main thread; the guest runs in wasm-thread.ts.
import { runPayload } from "@lapstrake/wasm/node";
import type { WasmThreadData } from "./wasm-thread.ts";

/** Runs the container's guest to its end; resolves to the exit code. */
export function runWasmPayload(dir: string, root: string): Promise<number> {
  const data: WasmThreadData = { dir, root };
  return runPayload({ file: new URL("./wasm-thread.ts", import.meta.url), data });
}
