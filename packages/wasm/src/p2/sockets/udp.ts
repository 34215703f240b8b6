// wasi:sockets/udp 0.2: a socket gives two streams of datagrams; asking anew for them connects or disconnects it.
import { wasiAddress, type Family, type WasiAddress } from "../../sockets/address.ts";
import type { SocketNet } from "../../sockets/port.ts";
import { UdpState } from "../../sockets/udp-state.ts";
import type { ComponentHost } from "../host.ts";
import { PromisePollable } from "../http/poll.ts";
import { readyPollable, type Pollable } from "../poll.ts";
import { coded, positive, socketCode } from "./codes.ts";

/** What one check-send permits. */
const BURST = 16n;

interface Incoming {
  readonly data: Uint8Array;
  readonly remoteAddress: WasiAddress;
}

interface Outgoing {
  readonly data: Uint8Array;
  readonly remoteAddress?: WasiAddress | undefined;
}

/** Datagrams that come. */
export class IncomingDatagramStream {
  readonly #host: ComponentHost;
  readonly #state: UdpState;
  #next: Incoming | undefined;

  constructor(host: ComponentHost, state: UdpState) {
    this.#host = host;
    this.#state = state;
  }

  #look(): Incoming | undefined {
    const found = this.#next ?? this.#state.take();
    if (found !== undefined && "from" in found)
      this.#next = { data: found.bytes, remoteAddress: wasiAddress(found.from) };
    return this.#next;
  }

  receive(most: bigint): Incoming[] {
    this.#host.interrupt.check();
    const out: Incoming[] = [];
    while (BigInt(out.length) < most) {
      const next = coded(() => this.#look());
      if (next === undefined) break;
      out.push(next);
      this.#next = undefined;
    }
    return out;
  }

  subscribe(): PromisePollable {
    return new PromisePollable(
      this.#host,
      () => this.#look() !== undefined,
      () => new Promise<void>((resolve) => this.#state.onArrival(resolve)),
    );
  }
}

/** Datagrams that go. */
export class OutgoingDatagramStream {
  readonly #host: ComponentHost;
  readonly #state: UdpState;
  #failure: unknown;

  constructor(host: ComponentHost, state: UdpState) {
    this.#host = host;
    this.#state = state;
  }

  checkSend(): bigint {
    return BURST;
  }

  /** What the network says of a datagram comes later, with the next call. */
  send(list: readonly Outgoing[]): bigint {
    this.#host.interrupt.check();
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure !== undefined) throw socketCode(failure);
    for (const { data, remoteAddress } of list) {
      coded(() => this.#state.checkSend(remoteAddress));
      void this.#sendOne(data, remoteAddress);
    }
    return BigInt(list.length);
  }

  async #sendOne(data: Uint8Array, to: WasiAddress | undefined): Promise<void> {
    try {
      await this.#state.send(data, to);
    } catch (error) {
      this.#failure = error;
    }
  }

  subscribe(): Pollable {
    return readyPollable(this.#host);
  }
}

/** A UDP socket of a guest. */
export class UdpSocket {
  readonly #host: ComponentHost;
  readonly #state: UdpState;
  #isBinding = false;

  constructor(host: ComponentHost, state: UdpState) {
    this.#host = host;
    this.#state = state;
  }

  static create(host: ComponentHost, net: SocketNet, family: Family): UdpSocket {
    return coded(() => new UdpSocket(host, UdpState.create(net, family)));
  }

  startBind(_network: unknown, address: WasiAddress): void {
    if (this.#isBinding) throw "concurrency-conflict";
    coded(() => this.#state.bind(address));
    this.#isBinding = true;
  }

  finishBind(): void {
    if (!this.#isBinding) throw "not-in-progress";
    this.#isBinding = false;
  }

  stream(remote: WasiAddress | undefined): [IncomingDatagramStream, OutgoingDatagramStream] {
    coded(() => {
      if (remote !== undefined) this.#state.connect(remote);
      else this.#state.forget();
    });
    return [new IncomingDatagramStream(this.#host, this.#state), new OutgoingDatagramStream(this.#host, this.#state)];
  }

  localAddress(): WasiAddress {
    return coded(() => this.#state.local());
  }
  remoteAddress(): WasiAddress {
    return coded(() => this.#state.remote());
  }
  addressFamily(): Family {
    return this.#state.family;
  }
  unicastHopLimit(): number {
    return this.#state.properties.hopLimit;
  }
  setUnicastHopLimit(value: number): void {
    const hops = positive(value);
    coded(() => this.#state.setHopLimit(hops));
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

  subscribe(): Pollable {
    return readyPollable(this.#host);
  }

  [Symbol.dispose](): void {
    this.#state.close();
  }
}
