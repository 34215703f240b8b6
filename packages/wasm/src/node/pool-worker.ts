// A worker of the pool: runs one guest after the other, each over its own union of the layers it was sent.
import { parentPort } from "node:worker_threads";
import { isLapError, type LapError } from "@lapstrake/base";
import { UnionFs, type MergedTree } from "@lapstrake/layers";
import { Ring } from "../io/ring.ts";
import type { WasmExit } from "../run/exit.ts";
import { Interrupt } from "../run/interrupt.ts";
import { runModule } from "../run/run-module.ts";
import { runCommand } from "./run-command.ts";
import { guarded } from "./guard.ts";
import { forgetOldest, type Job, type JobDone } from "./pool-job.ts";
import { shipTree, unshipMerged } from "./ship.ts";

const bases = new Map<number, MergedTree>();

function baseOf({ base }: Job): MergedTree {
  const known = bases.get(base.id);
  if (known !== undefined || base.tree === undefined) return known!;
  const fresh = unshipMerged(base.tree);
  bases.set(base.id, fresh);
  forgetOldest(bases);
  return fresh;
}

async function execute(job: Job, fs: UnionFs): Promise<WasmExit> {
  const stdout = new Ring(job.stdout).output();
  const stderr = new Ring(job.stderr).output();
  const stdin = new Ring(job.stdin).input();
  const { timeoutMs } = job.limits;
  const guard =
    timeoutMs === undefined
      ? undefined
      : (call: () => void, interrupt: Interrupt): void => guarded(call, interrupt, { timeoutMs });
  try {
    const { module, ...common } = { ...job, fs, stdin, stdout, stderr, interrupt: new Interrupt(job.word) };
    return module === undefined ? await runCommand(common) : runModule({ ...common, module, guard });
  } finally {
    for (const stream of [stdin, stdout, stderr]) stream.close?.();
  }
}

function plainError(error: LapError): NonNullable<JobDone["error"]> {
  const { kind, code, message, hint, detail } = error;
  return { kind, code, message, ...(hint === undefined ? {} : { hint }), ...(detail === undefined ? {} : { detail }) };
}

async function run(job: Job): Promise<JobDone> {
  const fs = UnionFs.over(baseOf(job), {
    ...(job.maxBytes === undefined ? {} : { maxBytes: job.maxBytes }),
    ...(job.maxInodes === undefined ? {} : { maxInodes: job.maxInodes }),
  });
  try {
    const { error, ...exit } = await execute(job, fs);
    return {
      exit,
      ...(error === undefined ? {} : { error: plainError(error) }),
      failed: false,
      upper: shipTree(fs.upperTree()),
    };
  } catch (error) {
    if (!isLapError(error)) throw error;
    return {
      exit: { exitCode: 126, reason: "exit" },
      error: plainError(error),
      failed: true,
      upper: shipTree(fs.upperTree()),
    };
  }
}

async function answer(job: Job): Promise<void> {
  parentPort?.postMessage(await run(job));
}

// A rejection ends the thread with an error event.
parentPort?.on("message", (job: Job) => void answer(job));
