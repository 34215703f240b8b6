// The entry point of a 0.2 command that never suspends.
import { LapError } from "@lapstrake/base";
import type { ComponentHost } from "../p2/host.ts";
import type { WasmExit } from "../run/exit.ts";
import type { ComponentExports, ComponentRun } from "./translated.ts";

/** Calls it; throws what ends a guest. */
export function runEntry(run: ComponentRun, host: ComponentHost, exports: ComponentExports): WasmExit {
  const main = entryOf(exports);
  let failed = false;
  const call = (): void => {
    failed = !succeeds(main);
  };
  if (run.guard === undefined) call();
  else run.guard(call, host.interrupt);
  return { exitCode: failed ? 1 : 0, reason: "exit" };
}

/** `run: func() -> result`: the error case has no value, which is what is thrown. */
function succeeds(main: () => unknown): boolean {
  try {
    main();
    return true;
  } catch (thrown) {
    if (thrown === undefined || (thrown instanceof Error && "payload" in thrown)) return false;
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
