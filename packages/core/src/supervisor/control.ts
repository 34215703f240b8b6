// A control connection: requests are answered in order, so answers are matched by their place in the queue.
import type { Socket } from "node:net";
import { ERRNO, errnoName, LapError, systemError } from "@lapstrake/base";
import { decodeExit } from "./attachment.ts";
import type { Control, ExitStatus } from "./types.ts";
import { encodeFrame, FRAME, FrameDecoder, PAUSE_HELD, words } from "./wire.ts";

interface Waiter {
  readonly what: string;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

function explain(what: string, errno: number): Error {
  const detail = { errno: errnoName(errno) };
  if (errno === ERRNO.ESRCH)
    return new LapError("failedPrecondition", "ERR_LAP_NOT_RUNNING", "the container is not running", { detail });
  if (errno === ERRNO.EALREADY) {
    const state = what === "pause" ? "already paused" : "not paused";
    return new LapError("conflict", "ERR_LAP_STATE", `the container is ${state}`, { detail });
  }
  if (errno === ERRNO.EOPNOTSUPP) {
    return new LapError("unimplemented", "ERR_LAP_NO_FREEZER", "this host has no cgroup freezer", {
      hint: "mount a cgroup2 hierarchy or the v1 freezer",
      detail,
    });
  }
  return systemError(errno, what);
}

/** {@link Control} on a connected socket, which it owns. */
export class SocketControl implements Control {
  readonly #socket: Socket;
  readonly #decoder = new FrameDecoder();
  readonly #waiters: Waiter[] = [];
  readonly #exit: Promise<ExitStatus>;
  #exited!: (status: ExitStatus) => void;
  #lost!: (error: Error) => void;

  constructor(socket: Socket) {
    this.#socket = socket;
    this.#exit = new Promise((resolve, reject) => {
      this.#exited = resolve;
      this.#lost = reject;
    });
    // Only who called wait() cares.
    this.#exit.catch(() => undefined);
    socket.on("data", (chunk: Buffer) => this.#receive(chunk));
    socket.on("error", () => undefined);
    socket.on("close", () => this.#close());
  }

  #receive(chunk: Buffer): void {
    for (const { type, payload } of this.#decoder.push(chunk)) {
      if (type === FRAME.ok) this.#waiters.shift()?.resolve();
      else if (type === FRAME.error) {
        const waiter = this.#waiters.shift();
        waiter?.reject(explain(waiter.what, payload.readUInt32BE(4)));
      } else if (type === FRAME.exit) this.#exited(decodeExit(payload));
    }
  }

  #close(): void {
    const error = systemError(ERRNO.EPIPE, "supervisor connection");
    for (const waiter of this.#waiters.splice(0)) waiter.reject(error);
    this.#lost(error);
  }

  #request(what: string, type: number, payload?: Uint8Array, flags = 0): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#socket.destroyed) {
        reject(systemError(ERRNO.EPIPE, what));
        return;
      }
      this.#waiters.push({ what, resolve, reject });
      this.#socket.write(encodeFrame(type, payload, flags));
    });
  }

  signal(signal: number): Promise<void> {
    return this.#request("kill", FRAME.signal, words(signal));
  }

  resize(rows: number, cols: number): Promise<void> {
    return this.#request("resize", FRAME.resize, words(((rows & 0xffff) << 16) | (cols & 0xffff)));
  }

  pause(): Promise<void> {
    return this.#request("pause", FRAME.pause);
  }

  pauseHeld(): Promise<void> {
    return this.#request("pause", FRAME.pause, undefined, PAUSE_HELD);
  }

  resume(): Promise<void> {
    return this.#request("resume", FRAME.resume);
  }

  guard(): Promise<void> {
    return this.#request("guard", FRAME.guard);
  }

  wait(): Promise<ExitStatus> {
    if (!this.#socket.destroyed) this.#socket.write(encodeFrame(FRAME.wait));
    return this.#exit;
  }

  close(): void {
    this.#socket.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#socket.destroyed) return;
    this.#socket.destroy();
    await new Promise<void>((resolve) => this.#socket.once("close", () => resolve()));
  }
}
