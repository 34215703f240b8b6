// Runs a 0.2 command component to its end: the module inside when it is only wrapped, else jco's translation on our own host.
import { EMPTY_INPUT, NULL_OUTPUT, OutputLimit } from "../io/buffers.ts";
import { systemClock } from "../io/clock.ts";
import { limitMemory } from "../binary/memory-limit.ts";
import { preview2Imports } from "../p2/imports.ts";
import type { ComponentHost, Interface } from "../p2/host.ts";
import { compileModule } from "../run/compile.ts";
import { exitOf, type WasmExit } from "../run/exit.ts";
import { Interrupt } from "../run/interrupt.ts";
import { preopensOf } from "../run/preopens.ts";
import { runModule, type ModuleRun } from "../run/run-module.ts";
import { Wasm, type WasmInstance, type WasmModule } from "../webassembly.ts";
import { LapError } from "@lapstrake/base";
import { wrappedCommand } from "./bypass.ts";
import { translatedOf } from "./cache.ts";
import type { Translated } from "./jco.ts";

/** One run of a component. */
export interface ComponentRun extends Omit<ModuleRun, "module"> {
  readonly component: Uint8Array<ArrayBuffer>;
  /** Folder of translations kept between runs. */
  readonly cacheDir?: string | undefined;
  /** False: translate even what only wraps a preview1 module. */
  readonly bypass?: boolean | undefined;
}

/** Runs to the end. */
export async function runComponent(run: ComponentRun): Promise<WasmExit> {
  const inside = run.bypass === false ? undefined : wrappedCommand(run.component);
  if (inside !== undefined) return runModule({ ...run, module: compileModule(inside, run.limits?.memoryBytes) });
  return runTranslated(run, await translatedOf(run.component, false, run.cacheDir));
}

type Instantiate = (
  getCore: (name: string) => WasmModule | Promise<WasmModule>,
  imports: Record<string, Interface>,
  instantiateCore: (module: WasmModule, imports: Record<string, Record<string, unknown>>) => WasmInstance,
) => Promise<Record<string, { readonly run?: () => unknown }>>;

async function runTranslated(run: ComponentRun, files: Translated): Promise<WasmExit> {
  const host = hostOf(run);
  try {
    const { instantiate } = (await import(sourceUrl(files["main.js"]!))) as { instantiate: Instantiate };
    const exports = await instantiate(
      (name) => new Wasm.Module(limited(files[name]!, run)),
      preview2Imports(host),
      (module, imports) => new Wasm.Instance(module, imports),
    );
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

function entryOf(exports: Record<string, { readonly run?: () => unknown }>): () => unknown {
  const main = exports["run"]?.run;
  if (main !== undefined) return main;
  throw new LapError("failedPrecondition", "ERR_LAP_WASM_ENTRY", "the component exports no wasi:cli/run", {
    hint: "only command components run as containers",
  });
}

function limited(bytes: Uint8Array<ArrayBuffer>, { limits }: ComponentRun): Uint8Array<ArrayBuffer> {
  return limits?.memoryBytes === undefined ? bytes : limitMemory(bytes, limits.memoryBytes);
}

/** The translation as something that import() takes. The guest chose names in it: it runs in the guest's own thread only. */
function sourceUrl(source: Uint8Array): string {
  return `data:text/javascript;base64,${Buffer.from(source).toString("base64")}`;
}

function hostOf(run: ComponentRun): ComponentHost {
  const outputBytes = run.limits?.outputBytes;
  const limit = outputBytes === undefined ? undefined : new OutputLimit(outputBytes);
  const out = run.stdout ?? NULL_OUTPUT;
  const err = run.stderr ?? NULL_OUTPUT;
  return {
    fs: run.fs,
    preopens: preopensOf(run),
    args: run.args,
    env: run.env ?? {},
    cwd: run.cwd ?? "/",
    stdin: run.stdin ?? EMPTY_INPUT,
    stdout: limit?.guard(out) ?? out,
    stderr: limit?.guard(err) ?? err,
    clock: run.clock ?? systemClock,
    interrupt: run.interrupt ?? new Interrupt(),
  };
}
