// wasi:sockets/tcp 0.2: calls that take time come in pairs, start-x and finish-x; a pollable tells when to finish.
import type { Family, WasiAddress } from "../../sockets/address.ts";
import { TcpState } from "../../sockets/tcp-state.ts";
import type { SocketNet } from "../../sockets/port.ts";
import type { ComponentHost } from "../host.ts";
import { PromisePollable } from "../http/poll.ts";
import { coded, positive, socketCode } from "./codes.ts";
import { ConnectionInput, ConnectionOutput } from "./connection-streams.ts";

type Streams = [ConnectionInput, ConnectionOutput];

/** What was started and not finished. */
type Started =
  | { readonly what: "bind" | "listen" }
  | { readonly what: "connect"; done: boolean; failure: unknown; readonly settled: Promise<void> };

/** A TCP socket of a guest. */
export class TcpSocket {
  readonly #host: ComponentHost;
  readonly #state: TcpState;
  #started: Started | undefined;
  #streams: Streams | undefined;

  constructor(host: ComponentHost, state: TcpState) {
    this.#host = host;
    this.#state = state;
  }

  static create(host: ComponentHost, net: SocketNet, family: Family): TcpSocket {
    return coded(() => new TcpSocket(host, TcpState.create(net, family)));
  }

  #requireIdle(): void {
    if (this.#started !== undefined) throw "concurrency-conflict";
  }

  #finish(what: Started["what"]): Started {
    const started = this.#started;
    if (started?.what !== what) throw "not-in-progress";
    return started;
  }

  startBind(_network: unknown, address: WasiAddress): void {
    this.#requireIdle();
    coded(() => this.#state.bind(address));
    this.#started = { what: "bind" };
  }

  finishBind(): void {
    this.#finish("bind");
    this.#started = undefined;
  }

  startConnect(_network: unknown, address: WasiAddress): void {
    this.#requireIdle();
    coded(() => this.#state.checkConnect(address));
    const connecting = this.#state.connect(address);
    const started = {
      what: "connect" as const,
      done: false,
      failure: undefined as unknown,
      settled: Promise.resolve(),
    };
    const settle = async (): Promise<void> => {
      try {
        await connecting;
      } catch (error) {
        started.failure = error;
      }
      started.done = true;
    };
    started.settled = settle();
    this.#started = started;
  }

  finishConnect(): Streams {
    const started = this.#finish("connect") as Extract<Started, { what: "connect" }>;
    if (!started.done) throw "would-block";
    this.#started = undefined;
    if (started.failure !== undefined) throw socketCode(started.failure);
    return this.#connected();
  }

  #connected(): Streams {
    const state = this.#state;
    const release = (): void => state.release();
    const { connection } = state;
    const input = new ConnectionInput(this.#host, connection, release);
    const output = new ConnectionOutput(this.#host, connection, release);
    state.hold().hold();
    this.#streams = [input, output];
    return this.#streams;
  }

  startListen(): void {
    this.#requireIdle();
    coded(() => this.#state.listen());
    this.#started = { what: "listen" };
  }

  finishListen(): void {
    this.#finish("listen");
    this.#started = undefined;
  }

  accept(): [TcpSocket, ...Streams] {
    const accepted = coded(() => this.#state.accept());
    if (accepted === undefined) throw "would-block";
    const socket = new TcpSocket(this.#host, accepted);
    return [socket, ...socket.#connected()];
  }

  localAddress(): WasiAddress {
    return coded(() => this.#state.local());
  }
  remoteAddress(): WasiAddress {
    return coded(() => this.#state.remote());
  }
  isListening(): boolean {
    return this.#state.isListening;
  }
  addressFamily(): Family {
    return this.#state.family;
  }

  setListenBacklogSize(value: bigint): void {
    this.#state.properties.backlog = positive(value);
  }
  keepAliveEnabled(): boolean {
    return this.#state.properties.keepAlive;
  }
  setKeepAliveEnabled(value: boolean): void {
    this.#state.properties.keepAlive = value;
    this.#state.applyKeepAlive();
  }
  keepAliveIdleTime(): bigint {
    return this.#state.properties.idleNs;
  }
  setKeepAliveIdleTime(value: bigint): void {
    this.#state.properties.idleNs = positive(value);
    this.#state.applyKeepAlive();
  }
  keepAliveInterval(): bigint {
    return this.#state.properties.intervalNs;
  }
  setKeepAliveInterval(value: bigint): void {
    this.#state.properties.intervalNs = positive(value);
  }
  keepAliveCount(): number {
    return this.#state.properties.probes;
  }
  setKeepAliveCount(value: number): void {
    this.#state.properties.probes = positive(value);
  }
  hopLimit(): number {
    return this.#state.properties.hopLimit;
  }
  setHopLimit(value: number): void {
    this.#state.properties.hopLimit = positive(value);
  }
  receiveBufferSize(): bigint {
    return this.#state.properties.receiveBytes;
  }
  setReceiveBufferSize(value: bigint): void {
    this.#state.properties.receiveBytes = positive(value);
  }
  sendBufferSize(): bigint {
    return this.#state.properties.sendBytes;
  }
  setSendBufferSize(value: bigint): void {
    this.#state.properties.sendBytes = positive(value);
  }

  subscribe(): PromisePollable {
    return new PromisePollable(
      this.#host,
      () => this.#isReady(),
      () => this.#change(),
    );
  }

  #isReady(): boolean {
    if (this.#started?.what === "connect") return this.#started.done;
    return !this.#state.isListening || this.#started !== undefined || this.#state.hasWaiting;
  }

  #change(): Promise<void> {
    if (this.#started?.what === "connect") return this.#started.settled;
    return new Promise((resolve) => this.#state.onArrival(resolve));
  }

  shutdown(type: "receive" | "send" | "both"): void {
    if (this.#streams === undefined) throw "invalid-state";
    const [input, output] = this.#streams;
    if (type !== "send") input.end();
    if (type !== "receive") output.end();
  }

  [Symbol.dispose](): void {
    this.#state.release();
  }
}
