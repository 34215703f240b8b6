// Runs a command component to its end: the module inside when it is only wrapped, else jco's translation on our own host.
import { preview2Imports } from "../p2/imports.ts";
import { compileModule } from "../run/compile.ts";
import { exitOf, type WasmExit } from "../run/exit.ts";
import { runModule } from "../run/run-module.ts";
import { wrappedCommand } from "./bypass.ts";
import { translatedOf } from "./cache.ts";
import type { Translated } from "./jco.ts";
import { isPreview3, suspendsOf } from "./kind.ts";
import { runEntry } from "./run-entry.ts";
import { runNetworkCommand, runPreview3 } from "./run-preview3.ts";
import { hostOf, instantiateTranslated, type ComponentRun } from "./translated.ts";

export type { ComponentRun };

/** Runs to the end. */
export async function runComponent(run: ComponentRun): Promise<WasmExit> {
  const inside = run.bypass === false ? undefined : wrappedCommand(run.component);
  if (inside !== undefined) return runModule({ ...run, module: compileModule(inside, run.limits?.memoryBytes) });
  if (isPreview3(run.component)) return runPreview3(run);
  if (suspendsOf(run.component) === "calls") return runNetworkCommand(run);
  return runTranslated(run, await translatedOf(run.component, "nothing", run.cacheDir));
}

async function runTranslated(run: ComponentRun, files: Translated): Promise<WasmExit> {
  const host = hostOf(run);
  try {
    return runEntry(run, host, await instantiateTranslated(run, files, preview2Imports(host)));
  } catch (thrown) {
    return exitOf(thrown, run.limits?.timeoutMs);
  }
}
