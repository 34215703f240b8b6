// The guest's thread: takes orders for further programs while a guest is in a host call, and runs each to its end there. They see the
// same filesystem, as it is at that moment.
import { receiveMessageOnPort, type MessagePort } from "node:worker_threads";
import { Ring } from "../io/ring.ts";
import type { GuestInput, GuestOutput } from "../io/ports.ts";
import { Interrupt } from "../run/interrupt.ts";
import { VISIT_WORD, type ExecDone, type ExecJob } from "./exec-server.ts";
import type { ExecOrder } from "./exec-frames.ts";

/** An order with its streams connected. */
export interface Visit extends ExecOrder {
  readonly stdin: GuestInput;
  readonly stdout: GuestOutput;
  readonly stderr: GuestOutput;
  readonly interrupt: Interrupt;
}

/** Runs one order; the exit code. It reports what goes wrong itself. */
export type VisitRunner = (visit: Visit) => number;

/** Has `interrupt` look for orders whenever the guest calls or waits. */
export function takeVisits(interrupt: Interrupt, port: MessagePort, run: VisitRunner): void {
  interrupt.visitor = () => {
    Atomics.store(interrupt.word, VISIT_WORD, 0);
    for (let next = receiveMessageOnPort(port); next !== undefined; next = receiveMessageOnPort(port)) {
      port.postMessage(served(next.message as ExecJob, run));
    }
  };
}

function served(job: ExecJob, run: VisitRunner): ExecDone {
  const stdin = new Ring(job.stdin).input();
  const stdout = new Ring(job.stdout).output();
  const stderr = new Ring(job.stderr).output();
  try {
    return { id: job.id, exitCode: run({ ...job, stdin, stdout, stderr, interrupt: new Interrupt(job.word) }) };
  } finally {
    stdin.close?.();
    stdout.close?.();
    stderr.close?.();
  }
}

const SLICE_MS = 50;

/** The stream, its waits cut into slices between which orders are taken. */
export function attentive(input: GuestInput, interrupt: Interrupt): GuestInput {
  const wait = (ms: number): void => {
    const until = performance.now() + ms;
    for (let left = ms; input.ready() === 0 && left > 0; left = until - performance.now()) {
      input.wait(Math.min(left, SLICE_MS));
      interrupt.check();
    }
  };
  return {
    kind: input.kind,
    ready: () => input.ready(),
    wait,
    read(into, offset, length) {
      wait(Number.POSITIVE_INFINITY);
      return input.read(into, offset, length);
    },
    close: () => input.close?.(),
  };
}
