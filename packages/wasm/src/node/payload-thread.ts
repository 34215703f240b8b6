// The process of a Wasm container, the guest's thread: see payload-main.ts for how the two work together.
import { parentPort, workerData } from "node:worker_threads";
import { LapError } from "@lapstrake/base";
import { Ring } from "../io/ring.ts";
import type { GuestInput, GuestOutput } from "../io/ports.ts";
import { Interrupt } from "../run/interrupt.ts";
import { attentive, takeVisits, type VisitRunner } from "./exec-visit.ts";
import { fdInput, fdOutput, kindOf, neverWaits } from "./fd-streams.ts";
import type { PayloadMessage, PayloadShare } from "./payload-main.ts";
import { BEAT, BEAT_MS, SETTLE_MS } from "./payload-signals.ts";

/** What a payload gets: the process's stdio, and how it is told to end. */
export interface Payload {
  readonly data: unknown;
  readonly stdin: GuestInput;
  readonly stdout: GuestOutput;
  readonly stderr: GuestOutput;
  readonly interrupt: Interrupt;
  /** Says that the guest is no more: handing over what it changed may take its time. */
  readonly ended?: () => void;
  /** Says how much processor time the guest may use, where somebody can look at that. */
  readonly onCpuLimit?: (cpuMs: number) => void;
  /** Says that the guest answers requests: one that computes past `timeoutMs` is started anew, where somebody can see to that. */
  readonly onServing?: (timeoutMs: number | undefined) => void;
  /** Says how to run further programs in the container; absent where none can be let in. */
  readonly onVisit?: (run: VisitRunner) => void;
}

/** Runs `run` in the thread that `runPayload` started and reports its exit code. */
export async function servePayload(run: (payload: Payload) => number | Promise<number>): Promise<void> {
  const port = parentPort;
  if (port === null) {
    throw new LapError(
      "failedPrecondition",
      "ERR_LAP_WASM_THREAD",
      "servePayload runs in the thread of runPayload only",
    );
  }
  const share = workerData as PayloadShare;
  const interrupt = new Interrupt(share.word);
  interrupt.settleMs = SETTLE_MS;
  const tell = (message: PayloadMessage): void => port.postMessage(message);
  const { orders } = share;
  const exitCode = await run({
    data: share.data,
    stdin: neverWaits(0)
      ? fdInput(0, interrupt)
      : attentive(
          new Ring({ ...share.stdin, kind: kindOf(0) }).input(() => tell({ kind: "stdin" })),
          interrupt,
        ),
    ended: () => tell({ kind: "ended" }),
    onCpuLimit: (cpuMs) => tell({ kind: "cpu", cpuMs }),
    onServing: (timeoutMs) => {
      if (timeoutMs === undefined) return;
      setInterval(() => Atomics.add(share.word, BEAT, 1), BEAT_MS).unref();
      tell({ kind: "serving", timeoutMs });
    },
    ...(orders === undefined ? {} : { onVisit: (visit) => takeVisits(interrupt, orders, visit) }),
    stdout: fdOutput(1, interrupt),
    stderr: fdOutput(2, interrupt),
    interrupt,
  });
  tell({ kind: "done", exitCode });
}
