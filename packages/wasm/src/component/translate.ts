// Translating in a thread of its own, once per component however many ask at the same time.
import { fileURLToPath } from "node:url";
import { Worker, type MessagePort, type Transferable } from "node:worker_threads";
import { LapError, type ErrorKind } from "@lapstrake/base";
import type { Suspends, Translated } from "./jco.ts";

/** What the thread is told. */
export interface TranslateOrder {
  readonly component: Uint8Array;
  readonly suspends: Suspends;
  /** Where a thread waits that cannot take events: answered there, then the word is set. */
  readonly reply?: { readonly port: MessagePort; readonly word: Int32Array<SharedArrayBuffer> };
}

/** What the thread answers: the files, or why there are none. */
export interface TranslateAnswer {
  readonly files?: Translated;
  readonly refused?: { readonly kind: ErrorKind; readonly code: string; readonly message: string };
}

/** The translation; ERR_LAP_WASM_INVALID when the component is none. */
export async function translateApart(component: Uint8Array, suspends: Suspends): Promise<Translated> {
  const { files, refused } = await ask({ component, suspends });
  if (refused !== undefined) throw new LapError(refused.kind, refused.code, refused.message);
  return files!;
}

/** Starts the thread. */
export function startTranslator(order: TranslateOrder, transferList: Transferable[] = []): Worker {
  const file = fileURLToPath(new URL("./translate-worker.ts", import.meta.url));
  // From the sources, the thread must resolve the workspace as this one does.
  const execArgv = file.endsWith(".ts")
    ? ["--conditions=@lapstrake/source", "--disable-warning=ExperimentalWarning"]
    : [];
  return new Worker(file, { workerData: order, execArgv, transferList });
}

function ask(order: TranslateOrder): Promise<TranslateAnswer> {
  return new Promise((resolve, reject) => {
    const worker = startTranslator(order);
    worker.once("message", resolve);
    worker.once("error", reject);
    worker.once("exit", (code) => {
      reject(new LapError("internal", "ERR_LAP_WASM_THREAD", `the thread that translates ended with code ${code}`));
    });
  });
}
