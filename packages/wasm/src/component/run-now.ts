// Runs a command component to its end while this thread waits: as a child of another guest, or let in by `exec`. One that suspends cannot be
// run so: its waits need the thread's own turn.
import { compileFunction } from "node:vm";
import { LapError } from "@lapstrake/base";
import type { Interface } from "../p2/host.ts";
import { preview2Imports } from "../p2/imports.ts";
import { exitOf, type WasmExit } from "../run/exit.ts";
import type { Translated } from "./jco.ts";
import { suspendsOf } from "./kind.ts";
import { runEntry } from "./run-entry.ts";
import { translatedNow } from "./translate-now.ts";
import { hostOf, linkage, type ComponentExports, type ComponentRun, type Instantiate } from "./translated.ts";

type InstantiateNow = (...args: Parameters<Instantiate>) => ComponentExports | Promise<never>;

/** Throws `ERR_LAP_WASM_SUSPENDS` for a component of WASI 0.3, or of HTTP. */
export function runComponentNow(run: ComponentRun): WasmExit {
  if (suspendsOf(run.component) !== "nothing") throw suspends();
  const files = translatedNow(run.component, run.cacheDir);
  const host = hostOf(run);
  try {
    return runEntry(run, host, instantiateNow(run, files, preview2Imports(host)));
  } catch (thrown) {
    return exitOf(thrown, run.limits?.timeoutMs);
  }
}

/** jco's text as a function instead of a module: what it makes of a component that never suspends does not wait when its parts are there. */
function instantiateNow(run: ComponentRun, files: Translated, imports: Record<string, Interface>): ComponentExports {
  const source = new TextDecoder()
    .decode(files["main.js"])
    .replaceAll(/^export (function|const) /gm, "$1 ")
    .replaceAll("import.meta.url", '""');
  const evaluate = compileFunction(`${source}\nreturn instantiate;`) as () => InstantiateNow;
  const exports = evaluate()(...linkage(run, files, imports));
  if (!(exports instanceof Promise)) return exports;
  throw new LapError("internal", "ERR_LAP_WASM_SUSPENDS", "the translation waits");
}

function suspends(): LapError {
  const message = "a component of WASI 0.3 or of HTTP runs only as a container's first program";
  return new LapError("unimplemented", "ERR_LAP_WASM_SUSPENDS", message, {
    hint: "make it the entrypoint of a container of its own",
  });
}
