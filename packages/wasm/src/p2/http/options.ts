// wasi:http/types 0.2: request-options.
import type { HttpTimeouts } from "../../http/exchange.ts";

const NS_PER_MS = 1_000_000n;

/** request-options of 0.2: durations in nanoseconds. */
export class RequestOptions {
  #connect: bigint | undefined;
  #firstByte: bigint | undefined;
  #betweenBytes: bigint | undefined;

  get timeouts(): HttpTimeouts {
    const ms = (ns: bigint | undefined): number | undefined =>
      ns === undefined ? undefined : Number(ns / NS_PER_MS) || 1;
    return { connectMs: ms(this.#connect), firstByteMs: ms(this.#firstByte), betweenBytesMs: ms(this.#betweenBytes) };
  }

  connectTimeout(): bigint | undefined {
    return this.#connect;
  }

  setConnectTimeout(duration: bigint | undefined): void {
    this.#connect = duration;
  }

  firstByteTimeout(): bigint | undefined {
    return this.#firstByte;
  }

  setFirstByteTimeout(duration: bigint | undefined): void {
    this.#firstByte = duration;
  }

  betweenBytesTimeout(): bigint | undefined {
    return this.#betweenBytes;
  }

  setBetweenBytesTimeout(duration: bigint | undefined): void {
    this.#betweenBytes = duration;
  }
}
