// The error of a program that was to succeed and did not: the result's own fields, under the stable code ERR_LAP_EXIT_CODE.
import { LapError } from "@lapstrake/base";
import type { Result } from "./process-types.ts";

const SHOWN_CHARACTERS = 500;

/** Thrown where success was asked for (`check`, `box.$`, `text()`); has every field of the {@link Result}. */
export class ProcessError extends LapError {
  readonly result: Result<string | Uint8Array>;

  constructor(result: Result<string | Uint8Array>) {
    super(result.timedOut ? "deadlineExceeded" : "failedPrecondition", "ERR_LAP_EXIT_CODE", describe(result), {
      detail: { exitCode: result.exitCode, signal: result.signal ?? null },
    });
    this.name = "ProcessError";
    this.result = result;
  }

  get exitCode(): number {
    return this.result.exitCode;
  }
  get signal(): string | undefined {
    return this.result.signal;
  }
  get stdout(): string | Uint8Array {
    return this.result.stdout;
  }
  get stderr(): string | Uint8Array {
    return this.result.stderr;
  }
  get oomKilled(): boolean {
    return this.result.oomKilled;
  }
  get timedOut(): boolean {
    return this.result.timedOut;
  }
}

function describe(result: Result<string | Uint8Array>): string {
  const { args, exitCode, signal, timedOut, oomKilled } = result;
  const how = timedOut
    ? "took too long"
    : oomKilled
      ? "ran out of memory"
      : signal === undefined
        ? `exited with code ${exitCode}`
        : `was ended by ${signal}`;
  const said = textOf(result.stderr).trimEnd().slice(-SHOWN_CHARACTERS);
  return `"${args.join(" ").slice(0, SHOWN_CHARACTERS)}" ${how}${said === "" ? "" : `: ${said}`}`;
}

function textOf(output: string | Uint8Array): string {
  return typeof output === "string" ? output : new TextDecoder().decode(output);
}
