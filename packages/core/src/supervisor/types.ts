// The client side of a supervisor as types: attachment, control and the status record.
import type { Readable } from "node:stream";
import type { Timespec } from "@lapstrake/base";

/** How a container ended. `exitCode` is 128+signal when a signal ended it. */
export interface ExitStatus {
  readonly exitCode: number;
  readonly signal: number | undefined;
  readonly oomKilled: boolean;
  /** The supervisor was killed; the true status is unknown and reported as 137. */
  readonly supervisorLost: boolean;
}

/** A connection to a container's standard streams. Disposing detaches; the container goes on. */
export interface Attachment extends AsyncDisposable {
  /** Output as it is written; with a pty everything comes here. Ends at exit or detach. */
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Queues input; resolves when the supervisor took it (backpressure). Rejects after detach or exit with EPIPE. */
  writeStdin(chunk: Uint8Array): Promise<void>;
  /** Ends this client's input; the container's too when `stdinOnce` or no pty. */
  endStdin(): void;
  /** Sets the pty's window size in character cells; no effect without a pty. */
  resize(rows: number, cols: number): void;
  /** Sends a signal to the first process. */
  signal(signal: number): void;
  /** Settles at exit, after all output was delivered; `supervisorLost` when the connection broke. */
  readonly exited: Promise<ExitStatus>;
  /** Foreground owner only: tells the supervisor that the clean-up is done, so it need not run `reapArgv`. */
  reaped(): void;
  detach(): void;
}

/** A control connection: one request at a time, each settles when the supervisor did it. */
export interface Control extends AsyncDisposable {
  signal(signal: number): Promise<void>;
  resize(rows: number, cols: number): Promise<void>;
  pause(): Promise<void>;
  /** {@link pause} until this connection ends, however it does. */
  pauseHeld(): Promise<void>;
  resume(): Promise<void>;
  /** Has it looked after as one with a restart policy: whoever kills its supervisor has it cleaned up at once. */
  guard(): Promise<void>;
  wait(): Promise<ExitStatus>;
  close(): void;
}

export type ContainerState = "created" | "running" | "paused" | "exited";

/** What the supervisor last wrote about its container (`containerDir/status`). */
export interface StatusRecord {
  readonly state: ContainerState;
  readonly supervisorPid: number;
  /** Start time of the supervisor in clock ticks since boot: proc_pid_stat(5) field 22. */
  readonly supervisorStartTime: number;
  /** 0 when the container never started. */
  readonly pid: number;
  readonly pidStartTime: number;
  readonly bootId: string;
  readonly exitCode: number;
  readonly signal: number | undefined;
  readonly oomKilled: boolean;
  readonly supervisorLost: boolean;
  readonly startedAt: Timespec | undefined;
  readonly finishedAt: Timespec | undefined;
  /** Why the launch failed, else "". */
  readonly error: string;
}
