// Standard input of a process: given whole or as a stream, or written by the caller through a Writable; always with backpressure.
import { Writable } from "node:stream";
import { LapError, errorCode } from "@lapstrake/base";
import type { Input, StartedProcess } from "./process-types.ts";

/** Refuses a bare text, which would have to be told from "pipe". Throws `ERR_LAP_STDIN_INVALID`. */
export function checkInput(input: Input | undefined): void {
  if (typeof input !== "string" || input === "pipe") return;
  throw new LapError("invalidArgument", "ERR_LAP_STDIN_INVALID", "a bare text is no input of a program", {
    hint: 'write stdin: { text: "…" }',
  });
}

/** Feeds `input` and ends it. A program that reads no further is no error. */
export async function feed(process: StartedProcess, input: Exclude<Input, "pipe">): Promise<void> {
  try {
    for await (const chunk of chunksOf(input)) await process.writeStdin(bytesOf(chunk));
  } catch (error) {
    if (errorCode(error) !== "EPIPE") throw error;
  } finally {
    process.endStdin();
  }
}

function chunksOf(input: Exclude<Input, "pipe">): Iterable<Uint8Array | string> | AsyncIterable<Uint8Array | string> {
  if (input instanceof Uint8Array) return [input];
  if ("text" in input) return [input.text];
  return input;
}

function bytesOf(chunk: Uint8Array | string): Uint8Array {
  return typeof chunk === "string" ? Buffer.from(chunk) : chunk;
}

/** A Writable that becomes the process's input once it runs. */
export function inputStream(started: Promise<StartedProcess>): Writable {
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      settle(async () => (await started).writeStdin(chunk), done);
    },
    final(done) {
      settle(async () => (await started).endStdin(), done);
    },
    destroy(error, done) {
      started.then(
        (process) => process.endStdin(),
        () => undefined,
      );
      done(error);
    },
  });
}

/** Tells a stream's callback what came of `work`. */
function settle(work: () => Promise<void>, done: (error?: Error | null) => void): void {
  void (async () => {
    try {
      await work();
    } catch (error) {
      done(error as Error);
      return;
    }
    done();
  })();
}
