// What a guest may reach with sockets, as data: nothing unless a rule allows it. Names are resolved once; an address may be connected when a
// rule names it, or when it is what an allowed name resolved to.
import { isPublicAddress } from "../http/addresses.ts";
import { matchesHost } from "../http/policy.ts";
import type { Address, Family } from "./address.ts";
import { SocketFailure, type SocketNet, type TcpHandle, type UdpHandle } from "./port.ts";

/** Hosts and ports, as in an HTTP policy. */
export interface SocketRule {
  readonly host: string;
  /** Default 80 and 443. */
  readonly ports?: readonly number[] | "any";
  readonly privateAddresses?: boolean;
}

export interface SocketPolicy {
  readonly allow: readonly SocketRule[];
  /** TCP and UDP ports that may be listened on; "any" for all of them. Default none. */
  readonly listen?: readonly number[] | "any";
}

const DEFAULT_PORTS: readonly number[] = [80, 443];

/** The network without what the policy does not allow. */
export function policySockets(policy: SocketPolicy, net: SocketNet): SocketNet {
  const guard = new Guard(policy);
  return {
    tcp: (family) => guard.tcp(net.tcp(family), family),
    udp: (family) => guard.udp(net.udp(family)),
    resolve: (name) => guard.resolve(net, name),
  };
}

/** A network that refuses everything. */
export const NO_SOCKETS: SocketNet = {
  tcp: () => denied("there is no network"),
  udp: () => denied("there is no network"),
  resolve: () => denied("there is no network"),
};

function denied(text: string): never {
  throw new SocketFailure("access-denied", text);
}

class Guard {
  readonly #policy: SocketPolicy;
  /** What allowed names resolved to. */
  readonly #known = new Map<string, Set<SocketRule>>();

  constructor(policy: SocketPolicy) {
    this.#policy = policy;
  }

  tcp(handle: TcpHandle, family: Family): TcpHandle {
    let bound = 0;
    return {
      bind: (address) => {
        // A client may choose its own address, but who listens there is looked at again.
        handle.bind(address);
        bound = address.port;
      },
      local: () => handle.local(),
      connect: async (address) => {
        this.#checkRemote(address);
        return handle.connect(address);
      },
      listen: (backlog, take) => {
        this.#checkListen(bound);
        if (handle.local() === undefined) handle.bind({ family, host: family === "ipv4" ? "0.0.0.0" : "::", port: 0 });
        handle.listen(backlog, take);
      },
      close: () => handle.close(),
    };
  }

  udp(handle: UdpHandle): UdpHandle {
    return {
      bind: (address) => {
        // Whoever asks for port 0 gets one that nobody was told: answers come there.
        if (address.port !== 0) this.#checkListen(address.port);
        handle.bind(address);
      },
      local: () => handle.local(),
      connect: (address) => {
        this.#checkRemote(address);
        handle.connect(address);
      },
      disconnect: () => handle.disconnect(),
      send: async (bytes, address) => {
        if (address !== undefined) this.#checkRemote(address);
        await handle.send(bytes, address);
      },
      take: () => handle.take(),
      onArrival: (call) => handle.onArrival(call),
      setHopLimit: (hops) => handle.setHopLimit(hops),
      close: () => handle.close(),
    };
  }

  async resolve(net: SocketNet, name: string): Promise<readonly { readonly family: Family; readonly host: string }[]> {
    const rules = this.#policy.allow.filter(({ host }) => matchesHost(host, name.toLowerCase().replace(/\.$/, "")));
    if (rules.length === 0) denied(`the policy does not allow ${name}`);
    const found = await net.resolve(name);
    return found.filter(({ host }) => {
      const fitting = rules.filter(({ privateAddresses }) => privateAddresses === true || isPublicAddress(host));
      const known = this.#known.get(host) ?? new Set();
      for (const rule of fitting) known.add(rule);
      this.#known.set(host, known);
      return fitting.length > 0;
    });
  }

  #checkRemote({ host, port }: Address): void {
    const named = this.#policy.allow.filter(
      (rule) => matchesHost(rule.host, host) && (rule.privateAddresses === true || isPublicAddress(host)),
    );
    const rules = [...named, ...(this.#known.get(host) ?? [])];
    if (!rules.some((rule) => hasPort(rule.ports ?? DEFAULT_PORTS, port)))
      denied(`the policy does not allow ${host}:${port}`);
  }

  #checkListen(port: number): void {
    if (!hasPort(this.#policy.listen ?? [], port)) denied(`the policy does not allow to listen on port ${port}`);
  }
}

function hasPort(ports: readonly number[] | "any", port: number): boolean {
  return ports === "any" || ports.includes(port);
}
