// From a translation to an instance: what both WASI versions share.
import { LapError } from "@lapstrake/base";
import { EMPTY_INPUT, NULL_OUTPUT, OutputLimit } from "../io/buffers.ts";
import { systemClock } from "../io/clock.ts";
import { limitMemory } from "../binary/memory-limit.ts";
import type { ComponentHost, Interface } from "../p2/host.ts";
import { Interrupt } from "../run/interrupt.ts";
import { preopensOf } from "../run/preopens.ts";
import type { ModuleRun } from "../run/run-module.ts";
import { Wasm, type WasmInstance, type WasmModule } from "../webassembly.ts";
import type { SocketNet } from "../sockets/port.ts";
import type { HttpSend } from "../http/exchange.ts";
import type { Translated } from "./jco.ts";

/** One run of a component. */
export interface ComponentRun extends Omit<ModuleRun, "module"> {
  readonly component: Uint8Array<ArrayBuffer>;
  /** Folder of translations kept between runs. */
  readonly cacheDir?: string | undefined;
  /** False: translate even what only wraps a preview1 module. */
  readonly bypass?: boolean | undefined;
  /** Sends the guest's HTTP requests, usually by {@link policySend}; without it every request is refused. */
  readonly http?: HttpSend | undefined;
  /** The network of the guest's sockets, usually by {@link policySockets}; without it every socket is refused. */
  readonly sockets?: SocketNet | undefined;
}

/** Exports of a component by interface name, with and without version. */
export type ComponentExports = Readonly<Record<string, { readonly run?: () => unknown }>>;

/** What a translation exports. */
export type Instantiate = (
  getCore: (name: string) => WasmModule | Promise<WasmModule>,
  imports: Record<string, Interface>,
  instantiateCore: (module: WasmModule, imports: Record<string, Record<string, unknown>>) => WasmInstance,
) => Promise<ComponentExports>;

/** Instantiates a translation in this thread. */
export async function instantiateTranslated(
  run: ComponentRun,
  files: Translated,
  imports: Record<string, Interface>,
): Promise<ComponentExports> {
  const { instantiate } = (await import(sourceUrl(files["main.js"]!))) as { instantiate: Instantiate };
  return instantiate(...linkage(run, files, imports));
}

/** What a translation's `instantiate` takes; it waits for none of it. */
export function linkage(
  run: ComponentRun,
  files: Translated,
  imports: Record<string, Interface>,
): Parameters<Instantiate> {
  return [
    (name) => compiled(files, name, run),
    granted(imports),
    (module, coreImports) => new Wasm.Instance(module, coreImports),
  ];
}

/** Asking for an interface that is not there is an error that names it. */
function granted(imports: Record<string, Interface>): Record<string, Interface> {
  return new Proxy(imports, {
    get(interfaces, name) {
      const found = interfaces[String(name)];
      if (found !== undefined) return found;
      throw new LapError(
        "failedPrecondition",
        "ERR_LAP_WASM_IMPORT",
        `the component imports "${String(name)}", which is not granted`,
        {
          hint: "the sandbox offers wasi:cli, clocks, filesystem, http, io, random and sockets of WASI 0.2 and 0.3",
          detail: { imports: [String(name)] },
        },
      );
    },
  });
}

/** Compiled core modules of a translation that is instantiated often. */
const modules = new WeakMap<Translated, Map<string, WasmModule>>();

function compiled(files: Translated, name: string, run: ComponentRun): WasmModule {
  const known = modules.get(files) ?? new Map<string, WasmModule>();
  modules.set(files, known);
  const key = `${run.limits?.memoryBytes ?? ""}:${name}`;
  const module = known.get(key) ?? new Wasm.Module(limited(files[name]!, run));
  known.set(key, module);
  return module;
}

function limited(bytes: Uint8Array<ArrayBuffer>, { limits }: ComponentRun): Uint8Array<ArrayBuffer> {
  return limits?.memoryBytes === undefined ? bytes : limitMemory(bytes, limits.memoryBytes);
}

/** The translation as something that import() takes. The guest chose names in it: it runs in the guest's own thread only. */
function sourceUrl(source: Uint8Array): string {
  return `data:text/javascript;base64,${Buffer.from(source).toString("base64")}`;
}

/** What the host knows of the guest of a run. */
export function hostOf(run: ComponentRun): ComponentHost {
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
