// One UDP socket of a guest and what may be asked of it when. Both versions of the interface stand on it; it throws SocketFailures.
import { addressOf, isRemote, isUsable, wasiAddress, type Family, type WasiAddress } from "./address.ts";
import type { Datagram, SocketNet, UdpHandle } from "./port.ts";
import { defaultProperties, type Properties } from "./properties.ts";
import { invalidArgument, invalidState } from "./tcp-state.ts";

export class UdpState {
  readonly family: Family;
  readonly properties: Properties = defaultProperties();
  readonly #handle: UdpHandle;
  #isBound = false;
  #remote: WasiAddress | undefined;

  private constructor(family: Family, handle: UdpHandle) {
    this.family = family;
    this.#handle = handle;
  }

  static create(net: SocketNet, family: Family): UdpState {
    return new UdpState(family, net.udp(family));
  }

  bind(address: WasiAddress): void {
    if (!isUsable(address, this.family)) throw invalidArgument();
    if (this.#handle.local() !== undefined) throw invalidState();
    this.#handle.bind(addressOf(address));
    this.#isBound = true;
  }

  get isBound(): boolean {
    return this.#isBound || this.#handle.local() !== undefined;
  }

  connect(address: WasiAddress): void {
    if (!isRemote(address, this.family)) throw invalidArgument();
    if (this.#remote !== undefined) this.disconnect();
    this.#handle.connect(addressOf(address));
    this.#remote = address;
  }

  disconnect(): void {
    if (this.#remote === undefined) throw invalidState();
    this.#remote = undefined;
    this.#handle.disconnect();
  }

  /** Disconnects it, if it is connected. */
  forget(): void {
    if (this.#remote !== undefined) this.disconnect();
  }

  /** Throws for an address that cannot be sent to now. */
  checkSend(to: WasiAddress | undefined): void {
    const connected = this.#remote;
    if (to !== undefined && !isRemote(to, this.family)) throw invalidArgument();
    if (to === undefined && connected === undefined) throw invalidArgument();
    if (to !== undefined && connected !== undefined && !isSame(to, connected)) throw invalidArgument();
  }

  async send(bytes: Uint8Array, to: WasiAddress | undefined): Promise<void> {
    this.checkSend(to);
    const connected = this.#remote;
    await this.#handle.send(bytes, connected === undefined ? addressOf(to!) : undefined);
  }

  /** The next datagram; undefined when none is here. */
  take(): Datagram | undefined {
    if (!this.isBound) throw invalidState();
    return this.#handle.take();
  }

  onArrival(call: () => void): void {
    this.#handle.onArrival(call);
  }

  setHopLimit(hops: number): void {
    this.properties.hopLimit = hops;
    this.#handle.setHopLimit(hops);
  }

  local(): WasiAddress {
    const address = this.#handle.local();
    if (address === undefined) throw invalidState();
    return wasiAddress(address);
  }

  remote(): WasiAddress {
    if (this.#remote === undefined) throw invalidState();
    return this.#remote;
  }

  close(): void {
    this.#handle.close();
  }
}

function isSame(one: WasiAddress, other: WasiAddress): boolean {
  const [a, b] = [addressOf(one), addressOf(other)];
  return a.host === b.host && a.port === b.port;
}
