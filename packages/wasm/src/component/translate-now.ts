// Translating a component while this thread waits: for one that is started inside a call of another guest, where nothing can be awaited.
import { MessageChannel, receiveMessageOnPort } from "node:worker_threads";
import { LapError } from "@lapstrake/base";
import { keptTranslation, keyOf, madeHere, remember } from "./cache.ts";
import type { Translated } from "./jco.ts";
import { startTranslator, type TranslateAnswer } from "./translate.ts";

/** The translation of a component that never suspends; ERR_LAP_WASM_INVALID when it is none. */
export function translatedNow(component: Uint8Array, cacheDir: string | undefined): Translated {
  const key = keyOf(component, "nothing");
  return remember(key, madeHere(key) ?? keptTranslation(cacheDir, key) ?? translate(component));
}

function translate(component: Uint8Array): Translated {
  const { port1, port2 } = new MessageChannel();
  const word = new Int32Array(new SharedArrayBuffer(4));
  startTranslator({ component, suspends: "nothing", reply: { port: port2, word } }, [port2]).unref();
  Atomics.wait(word, 0, 0);
  const answer = receiveMessageOnPort(port1)?.message as TranslateAnswer | undefined;
  port1.close();
  if (answer?.files !== undefined) return answer.files;
  const { kind, code, message } = answer?.refused ?? {
    kind: "internal" as const,
    code: "ERR_LAP_WASM_THREAD",
    message: "the thread that translates ended without an answer",
  };
  throw new LapError(kind, code, message);
}
