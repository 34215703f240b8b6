// UDP for guests over Node's own handles.
import { getSystemErrorName } from "node:util";
import type { Address, Family } from "../../sockets/address.ts";
import type { Datagram, UdpHandle } from "../../sockets/port.ts";
import { bindTo, check, failureOf, nameOf, udpBinding, type RawUdp } from "./bindings.ts";

/** Datagrams that wait to be taken; more are lost, as a full buffer loses them. */
const MOST_WAITING = 256;
const MAX_BYTES = 65_507;

/** A socket of the machine. */
export function nodeUdp(family: Family): UdpHandle {
  return new Udp(family);
}

class Udp implements UdpHandle {
  readonly #family: Family;
  readonly #handle: RawUdp = new udpBinding.UDP();
  readonly #waiting: Datagram[] = [];
  #bound = false;
  #arrived: () => void = () => undefined;

  constructor(family: Family) {
    this.#family = family;
  }

  bind(address: Address): void {
    bindTo(this.#handle, address);
    this.#begin();
  }

  #begin(): void {
    this.#bound = true;
    this.#handle.onmessage = (count, _handle, bytes, from) => {
      if (count < 0 || this.#waiting.length >= MOST_WAITING) return;
      const copy = new Uint8Array(bytes.subarray(0, count));
      this.#waiting.push({ bytes: copy, from: { family: this.#family, host: from.address, port: from.port } });
      this.#arrived();
    };
    check(this.#handle.recvStart());
  }

  #bindSomewhere(): void {
    if (!this.#bound) this.bind({ family: this.#family, host: this.#family === "ipv4" ? "0.0.0.0" : "::", port: 0 });
  }

  local(): Address | undefined {
    return this.#bound ? nameOf(this.#handle, this.#family, "getsockname") : undefined;
  }

  connect({ host, port }: Address): void {
    check(this.#family === "ipv4" ? this.#handle.connect(host, port) : this.#handle.connect6(host, port));
    if (!this.#bound) this.#begin();
  }

  disconnect(): void {
    check(this.#handle.disconnect());
  }

  send(bytes: Uint8Array, address: Address | undefined): Promise<void> {
    if (bytes.length > MAX_BYTES) return Promise.reject(failureOf("EMSGSIZE"));
    if (address !== undefined) this.#bindSomewhere();
    return new Promise((resolve, reject) => {
      const request = new udpBinding.SendWrap();
      const settle = (error: number): void => {
        if (error < 0) reject(failureOf(getSystemErrorName(error)));
        else resolve();
      };
      request.oncomplete = settle;
      const rest = address === undefined ? [true] : [address.port, address.host, true];
      const [handle, list] = [this.#handle, [Buffer.from(bytes)]];
      const done =
        this.#family === "ipv4" ? handle.send(request, list, 1, ...rest) : handle.send6(request, list, 1, ...rest);
      // Sent at once, or failed: there is no call later.
      if (done !== 0) settle(done);
    });
  }

  take(): Datagram | undefined {
    return this.#waiting.shift();
  }

  onArrival(call: () => void): void {
    this.#arrived = call;
  }

  setHopLimit(hops: number): void {
    this.#bindSomewhere();
    check(this.#handle.setTTL(hops));
  }

  close(): void {
    this.#handle.close();
  }
}
