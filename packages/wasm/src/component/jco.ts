// The one file that knows jco (Bytecode Alliance): parsing text, wrapping modules, translating components to JavaScript.
// Loaded by dynamic import only: it costs over 100 ms.
import { LapError } from "@lapstrake/base";

/** Part of the cache key: output changes with the translator and with what is done to its output. */
export const JCO_VERSION = "jco-transpile-0.15.0+1";

/** Binary of a module or component in text form. */
export async function parseWat(text: string): Promise<Uint8Array<ArrayBuffer>> {
  const { parse } = await import("@bytecodealliance/jco-transpile/wasm-tools");
  return refusing("text", async () => new Uint8Array(await parse(text)));
}

/** A component from a preview1 module and the adapter that translates its calls. */
export async function wrapModule(core: Uint8Array, adapter: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  const { componentNew } = await import("@bytecodealliance/jco-transpile/wasm-tools");
  return refusing(
    "module",
    async () => new Uint8Array(await componentNew(core, [["wasi_snapshot_preview1", adapter]])),
  );
}

/** A component from a core module that was written for a world of `wit`. */
export async function embedModule(core: Uint8Array, wit: string, world: string): Promise<Uint8Array<ArrayBuffer>> {
  const { componentEmbed, componentNew } = await import("@bytecodealliance/jco-transpile/wasm-tools");
  return refusing("module", async () => {
    const described = await componentEmbed({ binary: core, witSource: wit, world });
    return new Uint8Array(await componentNew(described));
  });
}

/** A component as JavaScript: `main.js` and the core modules it asks for, by file name. */
export type Translated = Readonly<Record<string, Uint8Array<ArrayBuffer>>>;

/**
 * What may suspend in a translation: nothing, the tasks of 0.3, or those calls of a 0.2 component that wait for something.
 */
export type Suspends = "nothing" | "tasks" | "calls";

const WAITING_IMPORTS: readonly string[] = [
  "wasi:io/poll#poll",
  "wasi:io/poll#[method]pollable.block",
  "wasi:io/streams#[method]input-stream.blocking-read",
  "wasi:io/streams#[method]input-stream.blocking-skip",
  "wasi:io/streams#[method]output-stream.blocking-flush",
  "wasi:io/streams#[method]output-stream.blocking-write-and-flush",
  "wasi:io/streams#[method]output-stream.blocking-write-zeroes-and-flush",
  "wasi:io/streams#[method]output-stream.blocking-splice",
];
const WAITING_EXPORTS: readonly string[] = ["wasi:cli/run#run", "wasi:http/incoming-handler#handle"];

interface AsyncOptions {
  readonly asyncMode?: "jspi";
  readonly asyncImports?: string[];
  readonly asyncExports?: string[];
}

function modeOf(suspends: Suspends): AsyncOptions {
  if (suspends === "nothing") return {};
  if (suspends === "tasks") return { asyncMode: "jspi" };
  return { asyncMode: "jspi", asyncImports: [...WAITING_IMPORTS], asyncExports: [...WAITING_EXPORTS] };
}

/** Translates a component. */
export async function translate(component: Uint8Array, suspends: Suspends): Promise<Translated> {
  const { transpileBytes } = await import("@bytecodealliance/jco-transpile");
  const { files } = await refusing("component", () =>
    transpileBytes(component, {
      name: "main",
      instantiation: "async",
      wasiShim: false,
      emitTypescriptDeclarations: false,
      ...modeOf(suspends),
    }),
  );
  const out = Object.fromEntries(Object.entries(files).map(([name, bytes]) => [name, new Uint8Array(bytes)]));
  return { ...out, "main.js": new TextEncoder().encode(finished(new TextDecoder().decode(out["main.js"]))) };
}

/** What jco's glue does on every call: it looks for a variable of the host's environment, which costs a quarter of the call. */
const DEBUG_LOG =
  /const _debugLog = \(\.\.\.args\) => \{\s*if \([^\n]*JCO_DEBUG\) \{ return; \}\s*console\.debug\(\.\.\.args\);\s*\};/;

/** The glue without its debug log, and with a name of its own: else stack traces would repeat all of it as their URL. */
function finished(source: string): string {
  return `${source.replace(DEBUG_LOG, "const _debugLog = () => undefined;")}\n//# sourceURL=component.js\n`;
}

async function refusing<T>(what: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (cause) {
    throw new LapError(
      "invalidArgument",
      "ERR_LAP_WASM_INVALID",
      `not valid WebAssembly (${what}): ${messageOf(cause)}`,
      {
        cause,
      },
    );
  }
}

/** jco throws the variant's payload, which is the message. */
function messageOf(error: unknown): string {
  if (error instanceof Error && "payload" in error) return String(error.payload);
  return error instanceof Error ? error.message : String(error);
}
