// What a program that was run comes to, and how to run one: shared by `engine.run`, `box.exec` and `box.$`, in every sandbox.
import type { Readable } from "node:stream";

/** Output is collected as text or as bytes. */
export type Encoding = "utf8" | "bytes";

/** What {@link Encoding} makes of output. */
export type Output<E extends Encoding> = E extends "bytes" ? Uint8Array : string;

/** How a program ended, and what it wrote. An exit code is a value, not an exception. */
export interface Result<T = string> {
  /** True for exit code 0. */
  readonly ok: boolean;
  /** 128 + signal when a signal ended it. */
  readonly exitCode: number;
  /** `SIGKILL`, when a signal ended it. */
  readonly signal: string | undefined;
  /** Empty when the stream was taken by the caller. */
  readonly stdout: T;
  readonly stderr: T;
  /** Output beyond `maxOutputBytes` was dropped. */
  readonly truncated: boolean;
  /** The container ran out of its memory. */
  readonly oomKilled: boolean;
  /** `timeoutMs` passed, so it was killed. */
  readonly timedOut: boolean;
  readonly durationMs: number;
  /** What was run. */
  readonly args: readonly string[];
}

/** Input: all of it, a stream of it, or `"pipe"` for {@link Process.stdin}. */
export type Input =
  | "pipe"
  | { readonly text: string }
  | Uint8Array
  | AsyncIterable<Uint8Array | string>
  | ReadableStream<Uint8Array | string>;

/** How to run a program. */
export interface ProcessOptions<E extends Encoding = "utf8"> {
  /** Default: no input, /dev/null. */
  readonly stdin?: Input;
  /** Default `utf8`. */
  readonly encoding?: E;
  /** Kills the program; the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Kills the program; the result says `timedOut`. */
  readonly timeoutMs?: number;
  /** Reject with a {@link ProcessError} when the exit code is not 0. Default false, true for `box.$`. */
  readonly check?: boolean;
  /** Of stdout and stderr each, collected; what comes after is dropped. Default 64 MiB. */
  readonly maxOutputBytes?: number;
}

/** How a sandbox says that a program ended. */
export interface SandboxExit {
  readonly exitCode: number;
  /** Number, when a signal ended it. */
  readonly signal: number | undefined;
  readonly oomKilled: boolean;
  readonly timedOut?: boolean;
}

/** A program that runs, as a sandbox gives it. */
export interface StartedProcess {
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Settles when all output was handed over. */
  readonly exited: Promise<SandboxExit>;
  /** Resolves when the sandbox took it. Rejects with EPIPE after the end. */
  writeStdin(chunk: Uint8Array): Promise<void>;
  endStdin(): void;
  /** By number; after the end nothing happens. */
  kill(signal: number): void;
  /** Called once after the end: what the run left behind goes away. */
  finish(): Promise<void>;
}
