// An attachment wired to this terminal: raw mode and resize for a pty, signals otherwise, detach keys, and the end.
import type { Attachment, ExitStatus } from "@lapstrake/engine";
import { SIGNALS } from "@lapstrake/engine";
import { errorCode } from "@lapstrake/base";
import type { Readable } from "node:stream";
import { BROKEN_PIPE, write } from "../output/print.ts";
import { DetachScanner, parseDetachKeys } from "./detach-keys.ts";

export interface SessionOptions {
  /** Carry standard input. */
  readonly stdin: boolean;
  readonly detachKeys: string | undefined;
  /** Pass signals on; without, they act on this process. */
  readonly sigProxy: boolean;
  /** Told of each size that the terminal got. */
  readonly resized?: (rows: number, columns: number) => void;
}

/** How a session ended. */
export type SessionOutcome = { readonly kind: "exited"; readonly status: ExitStatus } | { readonly kind: "detached" };

const PROXIED = [
  "SIGINT",
  "SIGTERM",
  "SIGHUP",
  "SIGQUIT",
  "SIGUSR1",
  "SIGUSR2",
  "SIGALRM",
  "SIGCONT",
  "SIGWINCH",
] as const;
/** A person who presses Ctrl-C this often wants out, whatever the program does. */
const FORCED_EXIT_SIGNALS = 3;

/** Carries everything until the program ends or the person detaches. The terminal is as before afterwards. */
export async function connectStreams(
  attachment: Attachment,
  tty: boolean,
  options: SessionOptions,
): Promise<SessionOutcome> {
  using cleanup = new DisposableStack();
  if (tty) cleanup.use(terminalMode(attachment, options));
  if (options.sigProxy && !(tty && options.stdin && process.stdin.isTTY)) cleanup.use(proxySignals(attachment));
  const output = Promise.all([copy(attachment.stdout, 1, attachment), copy(attachment.stderr, 2, attachment)]);
  const detached = options.stdin ? sendInput(attachment, tty, options.detachKeys, cleanup) : never();
  const ended = attachment.exited.then((status) => output.then((): SessionOutcome => ({ kind: "exited", status })));
  // An output that cannot be written (a full disk) ends the session with that error, whatever the program still does.
  const outcome = await Promise.race([ended, detached, output.then(never)]);
  if (outcome.kind === "detached") attachment.detach();
  return outcome;
}

/** Copies output at the reader's pace; a closed reader (`| head`) ends the session's output, not the container. */
async function copy(stream: Readable, fd: number, attachment: Attachment): Promise<void> {
  try {
    for await (const chunk of stream) write(fd, chunk as Uint8Array);
  } catch (error) {
    if (errorCode(error) !== "EPIPE") throw error;
    attachment.detach();
    process.exit(BROKEN_PIPE);
  }
}

function never(): Promise<SessionOutcome> {
  return new Promise(() => {});
}

function sendInput(
  attachment: Attachment,
  tty: boolean,
  detachKeys: string | undefined,
  cleanup: DisposableStack,
): Promise<SessionOutcome> {
  const scanner = tty ? new DetachScanner(parseDetachKeys(detachKeys)) : undefined;
  const { stdin } = process;
  cleanup.defer(() => stdin.destroy());
  return new Promise((resolve, reject) => {
    const pump = async (): Promise<void> => {
      for await (const chunk of stdin) {
        const { pass, detached } = scanner?.feed(chunk as Uint8Array) ?? { pass: chunk as Uint8Array, detached: false };
        if (pass.length > 0) await attachment.writeStdin(pass);
        if (detached) return resolve({ kind: "detached" });
      }
      attachment.endStdin();
    };
    pump().catch((error: unknown) => {
      const code = errorCode(error);
      // The program closed its input or ended; the session goes on to its exit status.
      if (code !== "EPIPE" && code !== "ERR_STREAM_PREMATURE_CLOSE" && code !== "ABORT_ERR") reject(error as Error);
    });
  });
}

function terminalMode(attachment: Attachment, { stdin: input, resized }: SessionOptions): Disposable {
  const { stdin, stdout } = process;
  const resize = (): void => {
    attachment.resize(stdout.rows, stdout.columns);
    resized?.(stdout.rows, stdout.columns);
  };
  const isRaw = input && stdin.isTTY;
  if (isRaw) stdin.setRawMode(true);
  if (stdout.isTTY) {
    resize();
    stdout.on("resize", resize);
  }
  return {
    [Symbol.dispose](): void {
      stdout.off("resize", resize);
      if (isRaw) stdin.setRawMode(false);
    },
  };
}

function proxySignals(attachment: Attachment): Disposable {
  let interrupts = 0;
  const handlers = PROXIED.filter((name) => name !== "SIGWINCH").map((name) => {
    const handler = (): void => {
      const isInterrupt = name === "SIGINT" || name === "SIGTERM";
      if (isInterrupt && ++interrupts >= FORCED_EXIT_SIGNALS) process.exit(1);
      attachment.signal((SIGNALS as Readonly<Record<string, number>>)[name.slice(3)]!);
    };
    process.on(name, handler);
    return { name, handler };
  });
  return {
    [Symbol.dispose](): void {
      for (const { name, handler } of handlers) process.off(name, handler);
    },
  };
}
