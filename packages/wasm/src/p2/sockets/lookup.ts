// wasi:sockets/ip-name-lookup 0.2: the addresses of a name, one at a time.
import { wasiIp, type WasiIp } from "../../sockets/address.ts";
import type { SocketNet } from "../../sockets/port.ts";
import type { ComponentHost } from "../host.ts";
import { PromisePollable } from "../http/poll.ts";
import { socketCode } from "./codes.ts";

/** An answer on its way. */
export class ResolveAddressStream {
  readonly #host: ComponentHost;
  readonly #settled: Promise<void>;
  #addresses: WasiIp[] | undefined;
  #failure: unknown;

  constructor(host: ComponentHost, net: SocketNet, name: string) {
    this.#host = host;
    this.#settled = this.#ask(net, name);
  }

  async #ask(net: SocketNet, name: string): Promise<void> {
    try {
      const found = await net.resolve(name);
      this.#addresses = found.map(({ family, host }) => wasiIp(family, host));
    } catch (error) {
      this.#failure = error;
    }
  }

  /** The next one; undefined when there are no more. */
  resolveNextAddress(): WasiIp | undefined {
    this.#host.interrupt.check();
    if (this.#failure !== undefined) throw socketCode(this.#failure);
    if (this.#addresses === undefined) throw "would-block";
    return this.#addresses.shift();
  }

  subscribe(): PromisePollable {
    return new PromisePollable(
      this.#host,
      () => this.#addresses !== undefined || this.#failure !== undefined,
      () => this.#settled,
    );
  }
}
