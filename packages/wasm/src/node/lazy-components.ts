// Components inside a call of another guest, for a payload: their host is loaded with the first, while that call waits. Most containers
// never start one, and each would pay two milliseconds for it.
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import type { ComponentRunner } from "../processes/system.ts";

/** As `loadComponents`, at once. For programs whose files Node itself loads: under another loader it would find a second copy of them. */
export function lazyComponents(cacheDir: string | undefined): ComponentRunner {
  return (run) => {
    const file = fileURLToPath(new URL("../component/run-now.ts", import.meta.url));
    const { runComponentNow } = createRequire(import.meta.url)(file) as typeof import("../component/run-now.ts");
    return runComponentNow({ ...run, cacheDir });
  };
}
