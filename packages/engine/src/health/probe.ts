// One check: the program of the check, run in the container, its output cut and its time limited.
import type { Readable } from "node:stream";
import { LapError } from "@lapstrake/base";
import { execContainer } from "../containers/exec.ts";
import type { Engine } from "../engine.ts";
import type { ContainerRecord } from "../state/record.ts";
import type { HealthPlan } from "./config.ts";
import type { HealthCheck } from "./state.ts";

const SIGKILL = 9;
const MAX_OUTPUT_BYTES = 4096;
/** What did not exit by itself. */
const NO_EXIT = -1;

/** Runs the check; a program that cannot be started is a failed check. Undefined when the container does not run (any more). */
export async function probe(
  engine: Engine,
  record: ContainerRecord,
  plan: HealthPlan,
  signal: AbortSignal,
): Promise<HealthCheck | undefined> {
  const start = new Date().toISOString();
  const done = (exitCode: number, output: string): HealthCheck => ({
    start,
    end: new Date().toISOString(),
    exitCode,
    output,
  });
  try {
    const { exitCode, output, timedOut } = await runProgram(engine, record, plan, signal);
    if (!timedOut) return done(exitCode, output);
    return done(NO_EXIT, `Health check exceeded timeout (${plan.timeoutMs / 1000}s): ${output}`.replace(/: $/, ""));
  } catch (error) {
    if (engine.status(record).state !== "running") return undefined;
    if (!(error instanceof LapError)) throw error;
    return done(NO_EXIT, error.message);
  }
}

async function runProgram(
  engine: Engine,
  record: ContainerRecord,
  plan: HealthPlan,
  signal: AbortSignal,
): Promise<{ readonly exitCode: number; readonly output: string; readonly timedOut: boolean }> {
  using running = await execContainer(engine, record, { args: plan.args });
  const attachment = running.launched.attachment!;
  let timedOut = false;
  const kill = (): void => attachment.signal(SIGKILL);
  const timer = setTimeout(() => {
    timedOut = true;
    kill();
  }, plan.timeoutMs);
  signal.addEventListener("abort", kill, { once: true });
  const output = collected();
  attachment.stdout.on("data", output.add);
  attachment.stderr.on("data", output.add);
  try {
    // The exit may be told while output is still on its way through the streams.
    const [{ exitCode }] = await Promise.all([attachment.exited, end(attachment.stdout), end(attachment.stderr)]);
    return { exitCode, output: output.text(), timedOut };
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", kill);
    await attachment[Symbol.asyncDispose]();
  }
}

function end(stream: Readable): Promise<void> {
  return new Promise((resolve) => stream.once("end", resolve));
}

/** The first bytes; more are told by dots. */
function collected(): { readonly add: (chunk: Buffer) => void; readonly text: () => string } {
  let bytes = Buffer.alloc(0);
  let isCut = false;
  return {
    add: (chunk) => {
      isCut ||= bytes.length + chunk.length > MAX_OUTPUT_BYTES;
      bytes = Buffer.concat([bytes, chunk]).subarray(0, MAX_OUTPUT_BYTES);
    },
    text: () => `${bytes.toString("utf8")}${isCut ? "..." : ""}`,
  };
}
