// The verb `_wasm`: the payload process of a Wasm container. A guest that nobody will visit and whose stdin never waits runs in this
// thread; else it runs in wasm-thread.ts, so that this one can feed it and take orders of `exec`.
import { canRunHere, runExec, runPayload, runPayloadHere, type ExecOrder } from "@lapstrake/wasm/node";
import { execSocket, PLACES } from "./handover.ts";
import type { WasmRunData } from "./wasm-run.ts";

/** Instead of a container's directory: a run that only fills the cache of compiled code. */
export const WARM_FLAG = "--warm";
/** Instead of it: an order for the payload that runs here, as JSON in the place of the store. */
export const EXEC_FLAG = "--exec";
/** Behind the store: the container takes no orders. */
export const ALONE_FLAG = "--alone";

/** Runs the container's guest to its end; resolves to the exit code. */
export async function runWasmPayload(dir: string, root: string, flag?: string): Promise<number> {
  if (dir === WARM_FLAG) return (await import("./wasm-warm.ts")).runWarm();
  if (dir === EXEC_FLAG) {
    const { patienceMs, ...order } = JSON.parse(root) as ExecOrder & { readonly patienceMs: number };
    return runExec(execSocket(PLACES.container), order, patienceMs);
  }
  const data: WasmRunData = { dir, root };
  // Loaded here: commands that export this verb only pass by.
  if (flag === ALONE_FLAG && canRunHere()) return runPayloadHere((await import("./wasm-run.ts")).runContainer, data);
  const execPath = flag === ALONE_FLAG ? undefined : execSocket(dir);
  return runPayload({ file: new URL("./wasm-thread.ts", import.meta.url), data, execPath });
}
