// Runs a 0.3 command component to its end: jco's translation with JavaScript promise integration, on our own host.
// Its tasks take turns in this thread; the engine must have JSPI (Node 24 has).
import { LapError } from "@lapstrake/base";
import { sections } from "../binary/sections.ts";
import { preview3Imports } from "../p3/imports.ts";
import { exitOf, type WasmExit } from "../run/exit.ts";
import { Interrupted, REASON, type Interrupt } from "../run/interrupt.ts";
import { Wasm } from "../webassembly.ts";
import { translatedOf } from "./cache.ts";
import { hostOf, instantiateTranslated, type ComponentExports, type ComponentRun } from "./translated.ts";

const IMPORT = 10;
const EXPORT = 11;
const RUN = /^wasi:cli\/run@0\.3\./;

/** True when the component imports or exports an interface of WASI 0.3. */
export function isPreview3(component: Uint8Array): boolean {
  return sections(component)
    .filter(({ id }) => id === IMPORT || id === EXPORT)
    .some(({ content, end }) => /wasi:[a-z-]+\/[a-z-]+@0\.3\./.test(latin1(component.subarray(content, end))));
}

function latin1(bytes: Uint8Array): string {
  let out = "";
  for (let at = 0; at < bytes.length; at += 4096) out += String.fromCharCode(...bytes.subarray(at, at + 4096));
  return out;
}

/** Runs to the end. The time limit is looked at whenever the guest calls or waits. */
export async function runPreview3(run: ComponentRun): Promise<WasmExit> {
  if (Wasm.Suspending === undefined) throw noJspi();
  const host = hostOf(run);
  const files = await translatedOf(run.component, true, run.cacheDir);
  const watch = watchTime(host.interrupt, run.limits?.timeoutMs);
  try {
    const exports = await instantiateTranslated(run, files, preview3Imports(host));
    const ended = await Promise.race([succeeds(entryOf(exports)), watch.overdue]);
    return { exitCode: ended ? 0 : 1, reason: "exit" };
  } catch (thrown) {
    return exitOf(thrown, run.limits?.timeoutMs);
  } finally {
    watch.stop();
  }
}

type Main = () => unknown;

/** `run: async func() -> result`: the error case has no value, and is thrown. */
async function succeeds(main: Main): Promise<boolean> {
  try {
    await main();
    return true;
  } catch (thrown) {
    if (thrown instanceof Error && "payload" in thrown) return false;
    throw thrown;
  }
}

function entryOf(exports: ComponentExports): Main {
  const main = Object.entries(exports).find(([name]) => RUN.test(name))?.[1].run;
  if (main !== undefined) return main;
  throw new LapError("failedPrecondition", "ERR_LAP_WASM_ENTRY", "the component exports no wasi:cli/run of 0.3", {
    hint: "only command components run as containers",
  });
}

/** Ends a guest that waits for ever: one that makes calls looks at the interrupt itself. */
function watchTime(interrupt: Interrupt, timeoutMs: number | undefined): { overdue: Promise<never>; stop(): void } {
  if (timeoutMs === undefined) return { overdue: new Promise(() => undefined), stop: () => undefined };
  let timer: ReturnType<typeof setTimeout>;
  const overdue = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      interrupt.raise(REASON.timeout);
      reject(new Interrupted(REASON.timeout));
    }, timeoutMs);
  });
  return { overdue, stop: () => clearTimeout(timer) };
}

function noJspi(): LapError {
  return new LapError("unimplemented", "ERR_LAP_WASM_JSPI", "this JavaScript engine cannot run WASI 0.3 components", {
    hint: "use Node 24 or later: it has WebAssembly promise integration",
  });
}
