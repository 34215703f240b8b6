// wasi:sockets/types 0.3: udp-socket.
import { wasiAddress, type Family, type WasiAddress } from "../../sockets/address.ts";
import { UdpState } from "../../sockets/udp-state.ts";
import type { Preview3Host } from "../host.ts";
import { coded, codedLater } from "./codes.ts";
import { positive } from "./tcp.ts";

/** The resource class for one guest. */
export function udpSocketClass(host: Preview3Host): object {
  return class UdpSocket {
    readonly #state: UdpState;

    constructor(state: UdpState) {
      this.#state = state;
    }

    static create(family: Family): UdpSocket {
      return coded(() => new UdpSocket(UdpState.create(host.sockets, family)));
    }

    bind(address: WasiAddress): void {
      coded(() => this.#state.bind(address));
    }
    connect(address: WasiAddress): void {
      coded(() => this.#state.connect(address));
    }
    disconnect(): void {
      coded(() => this.#state.disconnect());
    }

    send(data: Uint8Array, to: WasiAddress | undefined): Promise<void> {
      return codedLater(() => this.#state.send(data, to));
    }

    receive(): Promise<[Uint8Array, WasiAddress]> {
      return codedLater(async () => {
        for (;;) {
          const found = this.#state.take();
          if (found !== undefined) return [found.bytes, wasiAddress(found.from)];
          await new Promise<void>((resolve) => this.#state.onArrival(resolve));
          host.interrupt.check();
        }
      });
    }

    getLocalAddress(): WasiAddress {
      return coded(() => this.#state.local());
    }
    getRemoteAddress(): WasiAddress {
      return coded(() => this.#state.remote());
    }
    getAddressFamily(): Family {
      return this.#state.family;
    }
    getUnicastHopLimit(): number {
      return this.#state.properties.hopLimit;
    }
    setUnicastHopLimit(value: number): void {
      const hops = positive(value);
      coded(() => this.#state.setHopLimit(hops));
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
      this.#state.close();
    }
  };
}
