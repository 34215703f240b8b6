// The other side of files-visit.ts: outside of the sandbox. What runs in there may be hostile: the path is opened as a socket and nothing
// else, an answer has bounds in time and size, and what comes is a tar like any other from there.
import { closeSync, constants, fstatSync, openSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { LapError, errorCode } from "@lapstrake/base";
import { encodeFrame, FRAME, FrameReader } from "./exec-frames.ts";
import { framed, Pieces } from "./files-visit.ts";

/** open(2): a reference to whatever is there, without opening it. Node has no name for it. */
const O_PATH = 0o10000000;
const RETRY_MS = 10;
/** A guest that computes makes whoever asks wait. */
const ANSWER_MS = 10_000;
/** As much as Node puts into one piece of memory without trouble. */
const MAX_BYTES = 2 ** 31;

/** When to give up. */
export interface FilesPatience {
  /** How long the payload may take to listen; default 0. */
  readonly startMs?: number;
  /** Asked while it is waited for. */
  readonly isThere?: () => boolean;
  /** How long an answer, or the next part of one, may take; default 10 s. */
  readonly answerMs?: number;
}

/** The guest is held from `open` to disposal. */
export class LiveFiles implements Disposable {
  /** What the guest changed, as a tar. */
  readonly tar: Uint8Array;
  readonly #socket: Socket;
  readonly #exited: Promise<void>;

  private constructor(socket: Socket, tar: Uint8Array, exited: Promise<void>) {
    this.#socket = socket;
    this.tar = tar;
    this.#exited = exited;
  }

  /** Throws `ERR_LAP_FILES_BUSY` when there is no answer, `ERR_LAP_NOT_RUNNING` when nobody listens (any more). */
  static async open(path: string, patience: FilesPatience = {}): Promise<LiveFiles> {
    const socket = await connected(path, patience);
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
    const exit = Promise.withResolvers<void>();
    exit.promise.catch(() => undefined);
    const fail = (error: LapError): void => {
      reject(error);
      exit.reject(error);
      socket.destroy();
    };
    const pieces = new Pieces();
    const frames = new FrameReader();
    let said = "";
    socket.on("data", (chunk: Buffer) => {
      try {
        for (const [kind, bytes] of frames.push(chunk)) {
          if (kind === FRAME.stderr) said = (said + bytes.toString("latin1")).slice(0, 200);
          else if (kind === FRAME.stdout) pieces.push(bytes);
          else if (kind === FRAME.exit) (bytes[0] === 0 ? exit.resolve : () => fail(refused(said)))();
        }
        if (pieces.bytes > MAX_BYTES) throw new RangeError(`more than ${MAX_BYTES} bytes`);
        if (pieces.complete) resolve(pieces.whole());
      } catch (error) {
        fail(broken(error));
      }
    });
    socket.on("timeout", () => fail(busy()));
    socket.on("error", () => fail(gone()));
    socket.on("close", () => fail(gone()));
    const { answerMs = ANSWER_MS } = patience;
    socket.setTimeout(answerMs);
    const order = { args: [], env: {}, cwd: "/", terminal: false, files: true };
    socket.write(encodeFrame(FRAME.request, Buffer.from(JSON.stringify(order))));
    const tar = await promise;
    // From now on the guest waits for us.
    socket.setTimeout(0);
    return new LiveFiles(socket, tar, exit.promise);
  }

  /** Puts a layer over the guest's files; resolves when it is there. Once only. */
  async put(tar: Iterable<Uint8Array>): Promise<void> {
    for (const bytes of framed(tar)) {
      if (!this.#socket.write(encodeFrame(FRAME.stdin, bytes))) await drained(this.#socket);
    }
    this.#socket.write(encodeFrame(FRAME.stdinEnd));
    this.#socket.setTimeout(ANSWER_MS);
    await this.#exited;
  }

  /** Lets the guest go on. */
  [Symbol.dispose](): void {
    this.#socket.destroy();
  }
}

async function connected(path: string, { startMs = 0, isThere }: FilesPatience): Promise<Socket> {
  const deadline = performance.now() + startMs;
  for (;;) {
    const socket = await tryConnect(path);
    if (socket !== undefined) return socket;
    if (performance.now() > deadline || isThere?.() === false) throw gone();
    await sleep(RETRY_MS);
  }
}

/** Undefined when there is no socket, or one that nobody listens on. */
async function tryConnect(path: string): Promise<Socket | undefined> {
  let fd: number;
  try {
    fd = openSync(path, O_PATH | constants.O_NOFOLLOW);
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes(errorCode(error) ?? "")) return undefined;
    throw error;
  }
  try {
    if (!fstatSync(fd).isSocket()) return undefined;
    return await new Promise((resolve) => {
      // The descriptor's own name: the path may be something else by now, and is too long for an address.
      const socket = connect(`/proc/self/fd/${fd}`);
      socket.once("connect", () => resolve(socket)).once("error", () => resolve(undefined));
    });
  } finally {
    closeSync(fd);
  }
}

function drained(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      socket.off("drain", done).off("close", done);
      resolve();
    };
    socket.on("drain", done).on("close", done);
  });
}

function busy(): LapError {
  return new LapError("unavailable", "ERR_LAP_FILES_BUSY", "the Wasm container's guest does not let anybody in", {
    hint: "it computes without a call to its host: try again, or stop it first",
  });
}

function gone(): LapError {
  return new LapError("conflict", "ERR_LAP_NOT_RUNNING", "the Wasm container shows no files any more: it has ended");
}

function refused(said: string): LapError {
  const text = said.replaceAll(/[^\x20-\x7e]/g, "?");
  return new LapError("failedPrecondition", "ERR_LAP_FILES_WASM", `the files were not changed: ${text}`);
}

function broken(cause: unknown): LapError {
  return new LapError("dataLoss", "ERR_LAP_FILES_WASM", "the Wasm container's payload answers nonsense", { cause });
}
