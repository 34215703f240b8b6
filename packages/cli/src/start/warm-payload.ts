// The payload of a Wasm container starts with compiled code too, but may not write it: its sandbox is read-only, and code that root
// will run must not come from there. So the first Wasm container starts one run outside, of a guest of our own.
import { spawn } from "node:child_process";
import { accessSync, constants, existsSync } from "node:fs";
import { join } from "node:path";

/** Starts that run in the background when `dist` has no cache yet and may have one. */
export function warmPayload(dist: string): void {
  if (existsSync(join(dist, "cache", "lap-wasm-main.cjs-_wasm")) || !isWritable(dist)) return;
  const argv = [join(dist, "lap-wasm.cjs"), "_wasm", "--warm"];
  spawn(process.execPath, argv, { detached: true, stdio: "ignore" }).unref();
}

function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false; // installed by somebody else: there is no cache then
  }
}
