// The program that `exec` starts beside the payload of a Wasm container, in the same sandbox: it hands the order over and carries bytes.
import { connect } from "node:net";
import { constants } from "node:os";
import { isatty } from "node:tty";
import { encodeFrame, FRAME, FrameReader, type ExecOrder } from "./exec-frames.ts";
import { ENDING } from "./payload-signals.ts";

/** Nothing answers any more: as after SIGKILL. */
const LOST = 137;
/** Nothing listens: the container's guest runs where nobody can be let in. */
const REFUSED = 126;

/** Runs the order; resolves to its exit code. */
export function runExec(path: string, order: Omit<ExecOrder, "terminal">): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>();
  const socket = connect(path);
  const frames = new FrameReader();
  let started = false;
  socket.on("connect", () => {
    started = true;
    socket.write(encodeFrame(FRAME.request, Buffer.from(JSON.stringify({ ...order, terminal: isatty(0) }))));
    process.stdin.on("data", (chunk: Buffer) => socket.write(encodeFrame(FRAME.stdin, chunk)));
    process.stdin.on("end", () => socket.write(encodeFrame(FRAME.stdinEnd)));
  });
  socket.on("data", (chunk: Buffer) => {
    for (const [kind, bytes] of frames.push(chunk)) {
      if (kind === FRAME.stdout) process.stdout.write(bytes);
      else if (kind === FRAME.stderr) process.stderr.write(bytes);
      else if (kind === FRAME.exit) resolve(bytes[0] ?? LOST);
    }
  });
  socket.on("error", () => {
    if (!started)
      process.stderr.write("lap: this container takes no exec: it was started in the foreground with --rm\n");
    resolve(started ? LOST : REFUSED);
  });
  socket.on("close", () => resolve(LOST));
  for (const name of [...ENDING, "SIGINT"] as const) {
    process.on(name, () => socket.write(encodeFrame(FRAME.signal, Buffer.from([constants.signals[name]]))));
  }
  return promise.then(async (code) => {
    await Promise.all([flushed(process.stdout), flushed(process.stderr)]);
    return code;
  });
}

/** Resolves when everything written is out: the process exits then. */
function flushed(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => void stream.write("", () => resolve()));
}
