// The keeper's duty of ports: holds each published port of the machine, so that no program takes it meanwhile and gets nothing, and brings
// in what the kernel's translation cannot: to [::1], and from IPv6 to a container without it.
import { needsProxy, reservePort, type PublishedPort } from "@lapstrake/core";
import { startTcpProxy } from "../network/tcp-proxy.ts";
import { startUdpProxy } from "../network/udp-proxy.ts";
import { publishedOn, type NetworkRecord } from "../network/network-record.ts";
import type { Duty, Report } from "./duty.ts";

/** Ports by where they are published and what they lead to. */
export class HeldPorts implements Duty {
  readonly #networks: () => readonly NetworkRecord[];
  readonly #held = new Map<string, AsyncDisposable>();
  /** Refused and told of: tried again at every change. */
  readonly #refused = new Set<string>();

  constructor(networks: () => readonly NetworkRecord[]) {
    this.#networks = networks;
  }

  get size(): number {
    return this.#held.size + this.#refused.size;
  }

  async sync(report: Report): Promise<void> {
    const wanted = new Map(publishedOn(this.#networks()).map((port) => [keyOf(port), port]));
    for (const key of this.#refused) if (!wanted.has(key)) this.#refused.delete(key);
    for (const [key, held] of this.#held) {
      if (wanted.has(key)) continue;
      this.#held.delete(key);
      await held[Symbol.asyncDispose]();
    }
    for (const [key, port] of wanted) if (!this.#held.has(key)) await this.#hold(key, port, report);
  }

  async #hold(key: string, port: PublishedPort, report: Report): Promise<void> {
    try {
      this.#held.set(key, await hold(port));
      this.#refused.delete(key);
    } catch (error) {
      if (!this.#refused.has(key)) report(key, error);
      this.#refused.add(key);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#held.values()].map((held) => held[Symbol.asyncDispose]()));
    this.#held.clear();
  }
}

async function hold(port: PublishedPort): Promise<AsyncDisposable> {
  if (port.protocol !== "sctp" && needsProxy(port)) {
    return port.protocol === "tcp" ? startTcpProxy(port) : startUdpProxy(port);
  }
  const reservation = reservePort(port);
  return {
    [Symbol.asyncDispose]: () => {
      reservation?.[Symbol.dispose]();
      return Promise.resolve();
    },
  };
}

function keyOf({ hostIp, hostPort, protocol, address, port }: PublishedPort): string {
  return `${hostIp} ${hostPort}/${protocol} to ${address} ${port}`;
}
