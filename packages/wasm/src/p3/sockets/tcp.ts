// wasi:sockets/types 0.3: tcp-socket.
import type { Family, WasiAddress } from "../../sockets/address.ts";
import { invalidArgument, invalidState, TcpState } from "../../sockets/tcp-state.ts";
import type { Preview3Host } from "../host.ts";
import { bytesOf, failedRead, failure, never, OK, type GuestStream, type Outcome, type ReadPair } from "../streams.ts";
import { coded, codedLater, socketCode, type SocketCode } from "./codes.ts";

/** Bytes of one chunk. */
const CHUNK = 65_536;

/** The resource class for one guest. */
export function tcpSocketClass(host: Preview3Host): object {
  class TcpSocket {
    readonly #state: TcpState;
    #isReading = false;
    #isWriting = false;

    constructor(state: TcpState) {
      this.#state = state;
    }

    static create(family: Family): TcpSocket {
      return coded(() => new TcpSocket(TcpState.create(host.sockets, family)));
    }

    bind(address: WasiAddress): void {
      coded(() => this.#state.bind(address));
    }

    connect(address: WasiAddress): Promise<void> {
      return codedLater(() => this.#state.connect(address));
    }

    listen(): AsyncIterable<TcpSocket> {
      coded(() => this.#state.listen());
      const state = this.#state.hold();
      const next = async (): Promise<IteratorResult<TcpSocket>> => {
        while (!state.hasWaiting) await new Promise<void>((resolve) => state.onArrival(resolve));
        return { done: false, value: new TcpSocket(state.accept()!) };
      };
      const stop = (): Promise<IteratorResult<TcpSocket>> => {
        state.release();
        return Promise.resolve({ done: true, value: undefined });
      };
      return { [Symbol.asyncIterator]: () => ({ next, return: stop }) };
    }

    async send(data: GuestStream): Promise<Outcome<SocketCode>> {
      const state = this.#state.hold();
      try {
        if (this.#isWriting) throw invalidState();
        const { connection } = state;
        this.#isWriting = true;
        for (;;) {
          const { done, value } = await data.read({ count: CHUNK });
          host.interrupt.check();
          if (value !== undefined) await connection.write(bytesOf(value));
          if (done) break;
        }
        await connection.endWrite();
        return OK;
      } catch (error) {
        return failure(host, error, socketCode) ?? never();
      } finally {
        data[Symbol.dispose]?.();
        state.release();
      }
    }

    receive(): ReadPair<Uint8Array, SocketCode> {
      try {
        if (this.#isReading) throw invalidState();
        const pair = received(host, this.#state);
        this.#isReading = true;
        return pair;
      } catch (error) {
        return failedRead(socketCode(error));
      }
    }

    getLocalAddress(): WasiAddress {
      return coded(() => this.#state.local());
    }
    getRemoteAddress(): WasiAddress {
      return coded(() => this.#state.remote());
    }
    getIsListening(): boolean {
      return this.#state.isListening;
    }
    getAddressFamily(): Family {
      return this.#state.family;
    }

    setListenBacklogSize(value: bigint): void {
      this.#state.properties.backlog = positive(value);
    }
    getKeepAliveEnabled(): boolean {
      return this.#state.properties.keepAlive;
    }
    setKeepAliveEnabled(value: boolean): void {
      this.#state.properties.keepAlive = value;
      this.#state.applyKeepAlive();
    }
    getKeepAliveIdleTime(): bigint {
      return this.#state.properties.idleNs;
    }
    setKeepAliveIdleTime(value: bigint): void {
      this.#state.properties.idleNs = positive(value);
      this.#state.applyKeepAlive();
    }
    getKeepAliveInterval(): bigint {
      return this.#state.properties.intervalNs;
    }
    setKeepAliveInterval(value: bigint): void {
      this.#state.properties.intervalNs = positive(value);
    }
    getKeepAliveCount(): number {
      return this.#state.properties.probes;
    }
    setKeepAliveCount(value: number): void {
      this.#state.properties.probes = positive(value);
    }
    getHopLimit(): number {
      return this.#state.properties.hopLimit;
    }
    setHopLimit(value: number): void {
      this.#state.properties.hopLimit = positive(value);
    }
    getReceiveBufferSize(): bigint {
      return this.#state.properties.receiveBytes;
    }
    setReceiveBufferSize(value: bigint): void {
      this.#state.properties.receiveBytes = positive(value);
    }
    getSendBufferSize(): bigint {
      return this.#state.properties.sendBytes;
    }
    setSendBufferSize(value: bigint): void {
      this.#state.properties.sendBytes = positive(value);
    }

    [Symbol.dispose](): void {
      this.#state.release();
    }
  }
  return TcpSocket;
}

/** 0 is no size, time or count. */
export function positive<T extends number | bigint>(value: T): T {
  if (value > 0) return value;
  throw socketCode(invalidArgument());
}

/** The bytes of a connection as a stream, and how it ended. */
function received(host: Preview3Host, socket: TcpState): ReadPair<Uint8Array, SocketCode> {
  const { connection } = socket;
  const state = socket.hold();
  let settle: (value: Outcome<SocketCode>) => void = () => undefined;
  const end = new Promise<Outcome<SocketCode>>((resolve) => (settle = resolve));
  let ended = false;
  const finish = (value: Outcome<SocketCode>): void => {
    if (ended) return;
    ended = true;
    settle(value);
    state.release();
  };
  const next = async (): Promise<IteratorResult<Uint8Array>> => {
    try {
      const value = await connection.read();
      host.interrupt.check();
      if (value !== undefined) return { done: false, value };
      finish(OK);
    } catch (error) {
      const failed = failure(host, error, socketCode);
      if (failed === undefined) return never();
      finish(failed);
    }
    return { done: true, value: undefined };
  };
  const stop = (): Promise<IteratorResult<Uint8Array>> => {
    connection.endRead();
    finish(OK);
    return Promise.resolve({ done: true, value: undefined });
  };
  return [{ [Symbol.asyncIterator]: () => ({ next, return: stop }) }, end];
}
