// wasi:http/types 0.3: request-options. Durations are nanoseconds.
import type { HttpTimeouts } from "../../http/exchange.ts";

const NS_PER_MS = 1_000_000n;

interface Durations {
  connect?: bigint | undefined;
  firstByte?: bigint | undefined;
  betweenBytes?: bigint | undefined;
}

export class RequestOptions {
  #durations: Durations;
  #immutable: boolean;

  constructor() {
    this.#durations = {};
    this.#immutable = false;
  }

  /** Part of a request now. */
  freeze(): this {
    this.#immutable = true;
    return this;
  }

  get timeouts(): HttpTimeouts {
    const { connect, firstByte, betweenBytes } = this.#durations;
    const ms = (ns: bigint | undefined): number | undefined =>
      ns === undefined ? undefined : Number(ns / NS_PER_MS) || 1;
    return { connectMs: ms(connect), firstByteMs: ms(firstByte), betweenBytesMs: ms(betweenBytes) };
  }

  #set(name: keyof Durations, duration: bigint | undefined): void {
    if (this.#immutable) throw { tag: "immutable" };
    this.#durations[name] = duration;
  }

  getConnectTimeout(): bigint | undefined {
    return this.#durations.connect;
  }

  setConnectTimeout(duration: bigint | undefined): void {
    this.#set("connect", duration);
  }

  getFirstByteTimeout(): bigint | undefined {
    return this.#durations.firstByte;
  }

  setFirstByteTimeout(duration: bigint | undefined): void {
    this.#set("firstByte", duration);
  }

  getBetweenBytesTimeout(): bigint | undefined {
    return this.#durations.betweenBytes;
  }

  setBetweenBytesTimeout(duration: bigint | undefined): void {
    this.#set("betweenBytes", duration);
  }

  clone(): RequestOptions {
    const copy = new RequestOptions();
    copy.#durations = { ...this.#durations };
    return copy;
  }
}
