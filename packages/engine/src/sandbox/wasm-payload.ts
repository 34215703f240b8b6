// The verb `_wasm`: the payload process of a Wasm container. The guest runs in this thread when its stdin never waits, else in
// wasm-thread.ts, so that this one can feed it.
import { canRunHere, runPayload, runPayloadHere } from "@lapstrake/wasm/node";
import type { WasmRunData } from "./wasm-run.ts";

/** Instead of a container's directory: a run that only fills the cache of compiled code. */
export const WARM_FLAG = "--warm";

/** Runs the container's guest to its end; resolves to the exit code. */
export async function runWasmPayload(dir: string, root: string): Promise<number> {
  if (dir === WARM_FLAG) return (await import("./wasm-warm.ts")).runWarm();
  const data: WasmRunData = { dir, root };
  // Loaded here: commands that export this verb only pass by.
  if (canRunHere()) return runPayloadHere((await import("./wasm-run.ts")).runContainer, data);
  return runPayload({ file: new URL("./wasm-thread.ts", import.meta.url), data });
}
