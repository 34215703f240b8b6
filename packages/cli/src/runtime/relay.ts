// This terminal on one side, a container's pty on the other; signals go through.
import { SIGNALS, type Attachment } from "@lapstrake/core";

const FORWARDED = ["HUP", "INT", "QUIT", "TERM", "USR1", "USR2", "WINCH"] as const;

function forwardSignals(attachment: Attachment): Disposable {
  const handlers = FORWARDED.map((name) => {
    const handler = (): void => (name === "WINCH" ? resize(attachment) : attachment.signal(SIGNALS[name]!));
    process.on(`SIG${name}`, handler);
    return { name, handler };
  });
  return {
    [Symbol.dispose]: () => {
      for (const { name, handler } of handlers) process.off(`SIG${name}`, handler);
    },
  };
}

function resize(attachment: Attachment): void {
  const { rows, columns } = process.stdout;
  if (rows !== undefined && columns !== undefined) attachment.resize(rows, columns);
}

/** Waits for the end of a process with inherited streams, forwarding signals; its exit code. */
export async function waitForExit(attachment: Attachment): Promise<number> {
  using _ = forwardSignals(attachment);
  attachment.stdout.resume();
  attachment.stderr.resume();
  return (await attachment.exited).exitCode;
}

/** Relays this terminal to a pty until its process ends; its exit code. */
export async function relayTerminal(attachment: Attachment): Promise<number> {
  using _ = forwardSignals(attachment);
  const { stdin, stdout } = process;
  if (stdin.isTTY) stdin.setRawMode(true);
  resize(attachment);
  stdin.on("data", (chunk: Buffer) => {
    // The container may end before its input does.
    attachment.writeStdin(chunk).catch(() => stdin.pause());
  });
  attachment.stdout.pipe(stdout, { end: false });
  attachment.stderr.resume();
  const { exitCode } = await attachment.exited;
  if (stdin.isTTY) stdin.setRawMode(false);
  stdin.pause();
  // A file or /dev/null as standard input has none, and holds nothing.
  (stdin as { unref?: () => void }).unref?.();
  return exitCode;
}
