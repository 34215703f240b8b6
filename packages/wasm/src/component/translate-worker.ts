// The thread that translates one component and ends: jco is slow to start and large, and none of that stays in the guest's thread.
import { parentPort, workerData } from "node:worker_threads";
import { isLapError } from "@lapstrake/base";
import { translate } from "./jco.ts";
import type { TranslateAnswer, TranslateOrder } from "./translate.ts";

async function answer({ component, suspends }: TranslateOrder): Promise<TranslateAnswer> {
  try {
    return { files: await translate(component, suspends) };
  } catch (error) {
    if (!isLapError(error)) throw error;
    return { refused: { kind: error.kind, code: error.code, message: error.message } };
  }
}

async function serve(): Promise<void> {
  const done = await answer(workerData as TranslateOrder);
  const transfer = Object.values(done.files ?? {}).map(({ buffer }) => buffer);
  parentPort?.postMessage(done, transfer);
}

// No top-level await: the bundle of the command line is CommonJS. A rejection ends the thread with an error event.
void serve();
