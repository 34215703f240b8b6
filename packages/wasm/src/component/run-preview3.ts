// Runs a command component that may suspend: all of 0.3, and 0.2 commands that send HTTP requests. jco's translation with
// JavaScript promise integration, on our own host; tasks take turns in this thread. The engine must have JSPI (Node 24 has).
import { LapError } from "@lapstrake/base";
import type { Preview3Host } from "../p3/host.ts";
import { DENY_ALL } from "../p3/http/imports.ts";
import { preview3Imports } from "../p3/imports.ts";
import { NO_SOCKETS } from "../sockets/policy.ts";
import { exitOf, type WasmExit } from "../run/exit.ts";
import { REASON, type Interrupt } from "../run/interrupt.ts";
import { Wasm } from "../webassembly.ts";
import { http2Guest } from "../p2/http/imports.ts";
import type { Interface } from "../p2/host.ts";
import { socketInterfaces2 } from "../p2/sockets/imports.ts";
import { translatedOf } from "./cache.ts";
import type { Suspends } from "./jco.ts";
import { hostOf, instantiateTranslated, type ComponentExports, type ComponentRun } from "./translated.ts";

const RUN_3 = /^wasi:cli\/run@0\.3\./;
const RUN_2 = /^wasi:cli\/run@0\.2\./;

/**
 * Runs a 0.3 command to its end. `guard` covers the guest up to its first wait; later, the time limit and interrupts are noticed
 * whenever the guest calls or waits.
 */
export function runPreview3(run: ComponentRun): Promise<WasmExit> {
  return runSuspending(run, { suspends: "tasks", imports: preview3Imports, entry: RUN_3 });
}

/** The same for a 0.2 command that sends HTTP requests or has sockets: its waits suspend. */
export function runNetworkCommand(run: ComponentRun): Promise<WasmExit> {
  const imports = (host: Preview3Host): Record<string, Interface> => ({
    ...http2Guest(host, host.http).imports,
    ...socketInterfaces2(host, host.sockets),
  });
  return runSuspending(run, { suspends: "calls", imports, entry: RUN_2 });
}

interface Kind {
  readonly suspends: Suspends;
  readonly imports: (host: Preview3Host) => Record<string, Interface>;
  readonly entry: RegExp;
}

async function runSuspending(run: ComponentRun, kind: Kind): Promise<WasmExit> {
  checkJspi();
  const files = await translatedOf(run.component, kind.suspends, run.cacheDir);
  const common = hostOf(run);
  using watch = new Watch(common.interrupt, run.limits?.timeoutMs);
  const host: Preview3Host = {
    ...common,
    http: run.http ?? DENY_ALL,
    sockets: run.sockets ?? NO_SOCKETS,
    fatal: (error) => watch.end(error),
  };
  try {
    const exports = await instantiateTranslated(run, files, kind.imports(host));
    const main = entryOf(exports, kind.entry);
    let result: Promise<boolean> = Promise.resolve(false);
    const call = (): void => {
      result = succeeds(main);
    };
    if (run.guard === undefined) call();
    else run.guard(call, host.interrupt);
    // A guest that was ended may still fail: nobody waits for it then.
    result.catch(() => undefined);
    const ended = await Promise.race([result, watch.ended]);
    return { exitCode: ended ? 0 : 1, reason: "exit" };
  } catch (thrown) {
    return exitOf(thrown, run.limits?.timeoutMs);
  }
}

type Main = () => unknown;

/** `run: async func() -> result`: the error case has no value, which is what is thrown. */
async function succeeds(main: Main): Promise<boolean> {
  try {
    await main();
    return true;
  } catch (thrown) {
    if (thrown === undefined || (thrown instanceof Error && "payload" in thrown)) return false;
    throw thrown;
  }
}

function entryOf(exports: ComponentExports, entry: RegExp): Main {
  const main = Object.entries(exports).find(([name]) => entry.test(name))?.[1].run;
  if (main !== undefined) return main;
  throw new LapError("failedPrecondition", "ERR_LAP_WASM_ENTRY", "the component exports no wasi:cli/run", {
    hint: "only command components run as containers",
  });
}

/** How often interrupts are looked for while the guest waits. */
const LOOK_MS = 20;

/** Ends a guest from outside its own calls: time is up, it is to end, or a task of the host failed. */
export class Watch implements Disposable {
  readonly ended: Promise<never>;
  readonly #timers: ReturnType<typeof setTimeout>[];
  #reject: (error: unknown) => void = () => undefined;

  constructor(interrupt: Interrupt, timeoutMs: number | undefined) {
    this.ended = new Promise<never>((_, reject) => {
      this.#reject = reject;
    });
    // Without a race that waits for it, its failure is nobody's.
    this.ended.catch(() => undefined);
    this.#timers = [setInterval(() => this.#look(interrupt), LOOK_MS)];
    if (timeoutMs !== undefined) this.#timers.push(setTimeout(() => interrupt.raise(REASON.timeout), timeoutMs));
  }

  #look(interrupt: Interrupt): void {
    try {
      interrupt.check();
    } catch (interrupted) {
      this.end(interrupted);
    }
  }

  end(error: unknown): void {
    this.#reject(error);
  }

  [Symbol.dispose](): void {
    for (const timer of this.#timers) clearTimeout(timer);
  }
}

/** Throws when this engine cannot suspend WebAssembly. */
export function checkJspi(): void {
  if (Wasm.Suspending !== undefined) return;
  throw new LapError("unimplemented", "ERR_LAP_WASM_JSPI", "this JavaScript engine cannot run WASI 0.3 components", {
    hint: "use Node 24 or later: it has WebAssembly promise integration",
  });
}
