// A client attached to a container's streams, over one socket: frames in, two Readables and an exit status out.
import type { Socket } from "node:net";
import { Readable } from "node:stream";
import { ERRNO, systemError } from "@lapstrake/base";
import type { Attachment, ExitStatus } from "./types.ts";
import { encodeFrame, FRAME, FrameDecoder, STDIN_WINDOW, words, type Frame } from "./wire.ts";

const MAX_STDIN_FRAME = 32 * 1024;

/** What the supervisor says besides output: the launch listens for these two. */
export interface LaunchEvents {
  started(pid: number): void;
  failed(payload: Buffer): void;
  /** The container stands and waits for the caller's hooks; `go` lets it continue with the state text for its own. */
  sync(pid: number, go: (state: Uint8Array) => void): void;
}

const LOST: ExitStatus = { exitCode: 137, signal: 9, oomKilled: false, supervisorLost: true };

/** {@link Attachment} on a connected socket, which it owns. */
export class SocketAttachment implements Attachment {
  readonly stdout: Readable;
  readonly stderr: Readable;
  readonly exited: Promise<ExitStatus>;
  readonly #socket: Socket;
  readonly #decoder = new FrameDecoder();
  readonly #events: LaunchEvents | undefined;
  #settle!: (status: ExitStatus) => void;
  #isOver = false;
  #credit = STDIN_WINDOW;
  #creditWaiters: (() => void)[] = [];
  // Input goes out in the order it was given, its end last.
  #input: Promise<void> = Promise.resolve();
  readonly #isOwner: boolean;

  constructor(socket: Socket, isOwner: boolean, events?: LaunchEvents) {
    this.#socket = socket;
    this.#isOwner = isOwner;
    this.#events = events;
    this.exited = new Promise((resolve) => {
      this.#settle = resolve;
    });
    // The streams pull: a reader that stops reading stops the socket, and with it the container's output.
    const read = (): void => void socket.resume();
    this.stdout = new Readable({ read });
    this.stderr = new Readable({ read });
    socket.on("data", (chunk: Buffer) => this.#receive(chunk));
    socket.on("close", () => this.#finish(LOST));
    // "close" follows and tells the rest; a reset after the exit frame is the normal end.
    socket.on("error", () => undefined);
  }

  #receive(chunk: Buffer): void {
    for (const frame of this.#decoder.push(chunk)) this.#handle(frame);
  }

  #handle(frame: Frame): void {
    const { type, payload } = frame;
    if (type === FRAME.stdout) this.#push(this.stdout, payload);
    else if (type === FRAME.stderr) this.#push(this.stderr, payload);
    else if (type === FRAME.credit) this.#addCredit(payload.readUInt32BE(0));
    else if (type === FRAME.exit) this.#finish(decodeExit(payload));
    else if (type === FRAME.started) this.#events?.started(payload.readUInt32BE(0));
    else if (type === FRAME.sync) {
      this.#events?.sync(payload.readUInt32BE(0), (state) => this.#send(FRAME.go, state));
    } else if (type === FRAME.failed) this.#events?.failed(payload);
  }

  #push(stream: Readable, payload: Buffer): void {
    if (!stream.push(payload)) this.#socket.pause();
  }

  #addCredit(bytes: number): void {
    this.#credit += bytes;
    const waiters = this.#creditWaiters;
    this.#creditWaiters = [];
    for (const wake of waiters) wake();
  }

  #finish(status: ExitStatus): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.stdout.push(null);
    this.stderr.push(null);
    this.#addCredit(0);
    this.#settle(status);
    // The supervisor waits for its owner's reaped(); everyone else has nothing more to say.
    if (!this.#isOwner) this.#socket.destroy();
  }

  writeStdin(chunk: Uint8Array): Promise<void> {
    const written = this.#input.then(() => this.#writeInput(chunk));
    this.#input = written.catch(() => undefined);
    return written;
  }

  async #writeInput(chunk: Uint8Array): Promise<void> {
    for (let at = 0; at < chunk.length;) {
      if (this.#isOver) throw systemError(ERRNO.EPIPE, "write");
      const length = Math.min(chunk.length - at, MAX_STDIN_FRAME, this.#credit);
      if (length > 0) {
        this.#credit -= length;
        this.#socket.write(encodeFrame(FRAME.stdin, chunk.subarray(at, at + length)));
        at += length;
      } else await new Promise<void>((resolve) => this.#creditWaiters.push(resolve));
    }
  }

  #send(type: number, payload?: Uint8Array): void {
    if (!this.#socket.destroyed) this.#socket.write(encodeFrame(type, payload));
  }

  endStdin(): void {
    void this.#input.then(() => this.#send(FRAME.stdinEof));
  }

  resize(rows: number, cols: number): void {
    this.#send(FRAME.resize, words(((rows & 0xffff) << 16) | (cols & 0xffff)));
  }

  signal(signal: number): void {
    this.#send(FRAME.signal, words(signal));
  }

  reaped(): void {
    // Said again, Node would make an error, with its stack, for nobody.
    if (this.#socket.writable) this.#socket.end(encodeFrame(FRAME.reaped));
  }

  detach(): void {
    this.#socket.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#socket.destroyed) return;
    this.#socket.destroy();
    await new Promise<void>((resolve) => this.#socket.once("close", () => resolve()));
  }
}

/** Payload of an EXIT frame. */
export function decodeExit(payload: Buffer): ExitStatus {
  const signal = payload.readUInt32BE(4);
  return {
    exitCode: payload.readUInt32BE(0),
    signal: signal === 0 ? undefined : signal,
    oomKilled: payload.readUInt32BE(8) !== 0,
    supervisorLost: false,
  };
}
