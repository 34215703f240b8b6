// The program that `exec` starts beside the payload of a Wasm container, in the same sandbox: it hands the order over and carries bytes.
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { constants } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { isatty } from "node:tty";
import { encodeFrame, FRAME, FrameReader, type ExecOrder } from "./exec-frames.ts";
import { ENDING } from "./payload-signals.ts";

/** Nothing answers any more: as after SIGKILL. */
const LOST = 137;
/** Nothing listens: the container's guest runs where nobody can be let in. */
const REFUSED = 126;
const RETRY_MS = 10;

/** Runs the order; resolves to its exit code. A payload that is starting is given `patienceMs` until it listens. */
export async function runExec(path: string, order: Omit<ExecOrder, "terminal">, patienceMs = 0): Promise<number> {
  const deadline = Date.now() + patienceMs;
  for (;;) {
    const socket = connect(path);
    try {
      await once(socket, "connect");
      return await runOver(socket, order);
    } catch {
      // An earlier run may have left its socket.
      if (Date.now() < deadline) await sleep(RETRY_MS);
      else break;
    }
  }
  process.stderr.write("lap: this container takes no exec: it was started in the foreground with --rm\n");
  return REFUSED;
}

function runOver(socket: Socket, order: Omit<ExecOrder, "terminal">): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>();
  const frames = new FrameReader();
  socket.write(encodeFrame(FRAME.request, Buffer.from(JSON.stringify({ ...order, terminal: isatty(0) }))));
  process.stdin.on("data", (chunk: Buffer) => socket.write(encodeFrame(FRAME.stdin, chunk)));
  process.stdin.on("end", () => socket.write(encodeFrame(FRAME.stdinEnd)));
  socket.on("data", (chunk: Buffer) => {
    for (const [kind, bytes] of frames.push(chunk)) {
      if (kind === FRAME.stdout) process.stdout.write(bytes);
      else if (kind === FRAME.stderr) process.stderr.write(bytes);
      else if (kind === FRAME.exit) resolve(bytes[0] ?? LOST);
    }
  });
  socket.on("error", () => resolve(LOST));
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
