// Runs a command component to its end: the module inside when it is only wrapped, else jco's translation on our own host.
import { LapError } from "@lapstrake/base";
import { preview2Imports } from "../p2/imports.ts";
import { compileModule } from "../run/compile.ts";
import { exitOf, type WasmExit } from "../run/exit.ts";
import { runModule } from "../run/run-module.ts";
import { wrappedCommand } from "./bypass.ts";
import { translatedOf } from "./cache.ts";
import type { Translated } from "./jco.ts";
import { importsHttp, isPreview3 } from "./kind.ts";
import { runHttpCommand, runPreview3 } from "./run-preview3.ts";
import { hostOf, instantiateTranslated, type ComponentExports, type ComponentRun } from "./translated.ts";

export type { ComponentRun };

/** Runs to the end. */
export async function runComponent(run: ComponentRun): Promise<WasmExit> {
  const inside = run.bypass === false ? undefined : wrappedCommand(run.component);
  if (inside !== undefined) return runModule({ ...run, module: compileModule(inside, run.limits?.memoryBytes) });
  if (isPreview3(run.component)) return runPreview3(run);
  if (importsHttp(run.component)) return runHttpCommand(run);
  return runTranslated(run, await translatedOf(run.component, "nothing", run.cacheDir));
}

async function runTranslated(run: ComponentRun, files: Translated): Promise<WasmExit> {
  const host = hostOf(run);
  try {
    const exports = await instantiateTranslated(run, files, preview2Imports(host));
    const main = entryOf(exports);
    let failed = false;
    const call = (): void => {
      failed = !succeeds(main);
    };
    if (run.guard === undefined) call();
    else run.guard(call, host.interrupt);
    return { exitCode: failed ? 1 : 0, reason: "exit" };
  } catch (thrown) {
    return exitOf(thrown, run.limits?.timeoutMs);
  }
}

/** `run: func() -> result`: the error case has no value, and is thrown. */
function succeeds(main: () => unknown): boolean {
  try {
    main();
    return true;
  } catch (thrown) {
    if (thrown instanceof Error && "payload" in thrown) return false;
    throw thrown;
  }
}

function entryOf(exports: ComponentExports): () => unknown {
  const main = exports["run"]?.run;
  if (main !== undefined) return main;
  throw new LapError("failedPrecondition", "ERR_LAP_WASM_ENTRY", "the component exports no wasi:cli/run", {
    hint: "only command components run as containers",
  });
}
