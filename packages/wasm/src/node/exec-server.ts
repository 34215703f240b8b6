// The payload's main thread: takes orders to run a further program in the container and hands them to the guest's thread, which runs
// them inside the next host call of the guest that is there. So a program that computes without a call makes them wait.
import { rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { MessageChannel, type MessagePort } from "node:worker_threads";
import { Ring, type RingShare } from "../io/ring.ts";
import { Interrupt, REASON } from "../run/interrupt.ts";
import { encodeFrame, FRAME, FrameReader, type ExecOrder } from "./exec-frames.ts";

/** One order as the guest's thread gets it. */
export interface ExecJob extends ExecOrder {
  readonly id: number;
  readonly word: Int32Array<SharedArrayBuffer>;
  readonly stdin: RingShare;
  readonly stdout: RingShare;
  readonly stderr: RingShare;
}

/** What the thread answers. */
export interface ExecDone {
  readonly id: number;
  readonly exitCode: number;
}

/** Word of the payload's shared words that says that orders are there. */
export const VISIT_WORD = 1;

/** Listens at `path`; `port` goes to the guest's thread, `words` are shared with it. */
export class ExecServer implements Disposable {
  readonly port: MessagePort;
  readonly #server: Server;
  readonly #orders: MessagePort;
  readonly #words: Int32Array<SharedArrayBuffer>;
  readonly #done = new Map<number, (exitCode: number) => void>();
  readonly #running = new Set<Interrupt>();
  #last = 0;

  constructor(path: string, words: Int32Array<SharedArrayBuffer>) {
    const { port1, port2 } = new MessageChannel();
    this.port = port2;
    this.#orders = port1;
    this.#words = words;
    port1.on("message", ({ id, exitCode }: ExecDone) => this.#done.get(id)?.(exitCode));
    port1.unref();
    rmSync(path, { force: true });
    this.#server = createServer((socket) => this.#serve(socket)).listen(path);
    // Nobody else is on this path; without it the container runs all the same.
    this.#server.on("error", () => undefined);
    this.#server.unref();
  }

  /** Ends every program that was ordered. */
  raise(reason: number): void {
    for (const interrupt of this.#running) interrupt.raise(reason);
  }

  #serve(socket: Socket): void {
    const frames = new FrameReader();
    let client: ExecClientState | undefined;
    socket.on("data", (chunk: Buffer) => {
      try {
        for (const [kind, bytes] of frames.push(chunk)) {
          if (kind === FRAME.request) client ??= this.#order(socket, JSON.parse(bytes.toString()) as ExecOrder);
          else client?.take(kind, bytes);
        }
      } catch {
        socket.destroy(); // not a client of ours
      }
    });
    socket.on("error", () => socket.destroy());
    socket.on("close", () => client?.leave());
  }

  #order(socket: Socket, order: ExecOrder): ExecClientState {
    const kind = order.terminal ? "terminal" : "pipe";
    const rings = { stdin: Ring.create(kind), stdout: Ring.create(kind), stderr: Ring.create(kind) };
    const interrupt = new Interrupt();
    const id = ++this.#last;
    const shares = { stdin: rings.stdin.share, stdout: rings.stdout.share, stderr: rings.stderr.share };
    const job: ExecJob = { ...order, id, word: interrupt.word as Int32Array<SharedArrayBuffer>, ...shares };
    const output = [pump(rings.stdout, socket, FRAME.stdout), pump(rings.stderr, socket, FRAME.stderr)];
    this.#running.add(interrupt);
    this.#done.set(id, (exitCode) => {
      this.#done.delete(id);
      this.#running.delete(interrupt);
      void Promise.all(output).then(() => socket.end(encodeFrame(FRAME.exit, Buffer.from([exitCode]))));
    });
    this.#orders.postMessage(job);
    Atomics.add(this.#words, VISIT_WORD, 1);
    Atomics.notify(this.#words, 0);
    return new ExecClientState(rings.stdin, interrupt);
  }

  [Symbol.dispose](): void {
    this.#server.close();
    this.#orders.close();
  }
}

async function pump(ring: Ring, socket: Socket, kind: number): Promise<void> {
  for await (const chunk of ring.chunks()) {
    if (!socket.write(encodeFrame(kind, chunk)))
      await new Promise((resolve) => void socket.once("drain", resolve).once("close", resolve));
  }
}

/** The client's side of one order. */
class ExecClientState {
  readonly #stdin: Ring;
  readonly #interrupt: Interrupt;
  #fed: Promise<unknown> = Promise.resolve();

  constructor(stdin: Ring, interrupt: Interrupt) {
    this.#stdin = stdin;
    this.#interrupt = interrupt;
  }

  take(kind: number, bytes: Buffer): void {
    if (kind === FRAME.stdin) this.#fed = this.#fed.then(() => this.#stdin.write(bytes));
    else if (kind === FRAME.stdinEnd) this.#endStdin();
    else if (kind === FRAME.signal) this.#interrupt.raise(REASON.signal + (bytes[0] ?? 0));
  }

  #endStdin(): void {
    void this.#fed.then(() => this.#stdin.closeWriter());
  }

  /** A client that is gone cannot read: its program is ended. */
  leave(): void {
    this.#endStdin();
    this.#interrupt.raise(REASON.terminated);
  }
}
