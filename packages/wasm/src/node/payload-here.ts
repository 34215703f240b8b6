// The process of a Wasm container when its stdin never waits: the guest runs in the main thread, which spares starting a second.
// V8 is broken off by SIGINT only (node:vm), so whoever sends this process another signal sends SIGINT after it.
import { constants } from "node:os";
import { Interrupt, REASON } from "../run/interrupt.ts";
import { fdInput, fdOutput, neverWaits } from "./fd-streams.ts";
import { ENDING } from "./payload-signals.ts";
import type { Payload } from "./payload-thread.ts";

const { SIGINT } = constants.signals;
const SIGNAL_BASE = 128;

/** True when the guest can run in this process's main thread: reading stdin never blocks it. */
export function canRunHere(): boolean {
  return neverWaits(0);
}

/** Runs `run` here; resolves to its exit code. `data` is handed to it as it is. */
export async function runPayloadHere(
  run: (payload: Payload) => number | Promise<number>,
  data: unknown,
): Promise<number> {
  const interrupt = new Interrupt();
  const signals = watchSignals(interrupt);
  await turn();
  const exitCode = await run({
    data,
    stdin: fdInput(0, interrupt),
    stdout: fdOutput(1, interrupt),
    stderr: fdOutput(2, interrupt),
    interrupt,
  });
  await turn();
  // The guest was broken off by the SIGINT that followed another signal: that one is what ended it.
  return exitCode === SIGNAL_BASE + SIGINT && signals.first !== undefined ? SIGNAL_BASE + signals.first : exitCode;
}

/** Lets the event loop see signals that have arrived. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Of two that arrive together the kernel delivers the lower number first, so SIGINT counts only alone. */
function watchSignals(interrupt: Interrupt): { readonly first: number | undefined } {
  const seen: { first: number | undefined } = { first: undefined };
  for (const name of [...ENDING, "SIGINT"] as const) {
    const number = constants.signals[name];
    process.on(name, () => {
      if (number !== SIGINT) seen.first ??= number;
      interrupt.raise(REASON.signal + number);
    });
  }
  return seen;
}
