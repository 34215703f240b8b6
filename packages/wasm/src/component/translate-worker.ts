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
  const order = workerData as TranslateOrder;
  try {
    const done = await answer(order);
    const transfer = Object.values(done.files ?? {}).map(({ buffer }) => buffer);
    (order.reply?.port ?? parentPort)?.postMessage(done, transfer);
  } finally {
    if (order.reply !== undefined) wake(order.reply.word);
  }
}

function wake(word: Int32Array<SharedArrayBuffer>): void {
  Atomics.store(word, 0, 1);
  Atomics.notify(word, 0);
}

// No top-level await: the bundle of the command line is CommonJS. A rejection ends the thread with an error event.
void serve();
