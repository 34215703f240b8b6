// One output stream of a process: collected for the result up to a bound, or, once somebody took it, handed over with backpressure.
import { PassThrough, type Readable } from "node:stream";
import { finished } from "node:stream/promises";
import { LapError } from "@lapstrake/base";
import type { Encoding, Output } from "./process-types.ts";

/** stdout or stderr of one process. */
export class OutputStream {
  readonly #maxBytes: number;
  readonly #onUnwanted: () => void;
  readonly #chunks: Uint8Array[] = [];
  #bytes = 0;
  #taken: PassThrough | undefined;
  #source: Readable | undefined;
  truncated = false;

  /** `onUnwanted` is called when the reader of a taken stream closed it early. */
  constructor(maxBytes: number, onUnwanted: () => void) {
    this.#maxBytes = maxBytes;
    this.#onUnwanted = onUnwanted;
  }

  get isTaken(): boolean {
    return this.#taken !== undefined;
  }

  /** The stream itself; from then on it is the caller's to read. Throws `ERR_LAP_STREAM_TAKEN` once bytes are being collected. */
  take(): Readable {
    if (this.#taken !== undefined) return this.#taken;
    if (this.#source !== undefined) {
      throw new LapError("failedPrecondition", "ERR_LAP_STREAM_TAKEN", "the output is being collected already", {
        hint: "take the stream in the same turn in which the program is started, before the first await",
      });
    }
    this.#taken = new PassThrough();
    this.#taken.once("close", () => this.#closed());
    return this.#taken;
  }

  /** Connects to what the sandbox gives. */
  connect(source: Readable): void {
    this.#source = source;
    if (this.#taken === undefined) source.on("data", (chunk: Uint8Array) => this.#keep(chunk));
    else if (this.#taken.destroyed) this.#closed();
    else source.pipe(this.#taken);
  }

  #keep(chunk: Uint8Array): void {
    const room = this.#maxBytes - this.#bytes;
    if (chunk.length > room) this.truncated = true;
    if (room <= 0) return;
    const kept = chunk.subarray(0, room);
    this.#chunks.push(kept);
    this.#bytes += kept.length;
  }

  #closed(): void {
    const source = this.#source;
    if (source === undefined || source.readableEnded) return;
    source.unpipe();
    source.resume();
    this.#onUnwanted();
  }

  /** Whatever still comes is for nobody: the reader sees `error`, or what is there at once and then the end. */
  letGo(error?: Error): void {
    this.#source?.unpipe();
    const taken = this.#taken;
    if (taken === undefined || taken.destroyed) this.#source?.resume();
    else if (error !== undefined) {
      taken.destroy(error);
      this.#source?.resume();
    } else this.#spill(taken);
  }

  /** Without waiting for the reader: what a killed program left is bounded by its pipes. */
  #spill(taken: PassThrough): void {
    const source = this.#source;
    if (source === undefined || source.readableEnded) taken.end();
    else {
      source.on("data", (chunk: Uint8Array) => void (taken.writable && taken.write(chunk)));
      source.once("end", () => taken.end());
    }
  }

  /** Resolves when all that is collected was; a taken stream is its reader's. */
  async drained(): Promise<void> {
    if (this.#taken === undefined && this.#source !== undefined) await finished(this.#source, { writable: false });
  }

  /** What was collected. */
  collected<E extends Encoding>(encoding: E): Output<E> {
    const bytes = Buffer.concat(this.#chunks);
    return (encoding === "bytes" ? new Uint8Array(bytes) : bytes.toString("utf8")) as Output<E>;
  }
}
