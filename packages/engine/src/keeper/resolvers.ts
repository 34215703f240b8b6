// The keeper's duty of names: a resolver in every container that is on a user network, as the records of the networks have it.
import { statSync } from "node:fs";
import { join } from "node:path";
import { errorCode } from "@lapstrake/base";
import type { Duty, Report } from "./duty.ts";
import { containerDir, readRecord } from "../state/record.ts";
import type { StorePaths } from "../state/layout.ts";
import { NETNS_FILE } from "../network/netns-file.ts";
import { startDns, type DnsServer, type DnsSource } from "../network/dns-server.ts";
import { DEFAULT_NETWORK, type NetworkRecord } from "../network/network-record.ts";
import { zonesOf } from "../network/zones.ts";
import { needsForwarder, upstreamsOf, type DnsRequest } from "../network/resolver.ts";

interface Served {
  /** Inode of the namespace: a container that runs again has another. */
  readonly inode: bigint;
  readonly server: DnsServer;
}

/** Resolvers by container; dispose stops all. */
export class Resolvers implements Duty {
  readonly #paths: StorePaths;
  readonly #networks: () => readonly NetworkRecord[];
  readonly #served = new Map<string, Served>();

  constructor(paths: StorePaths, networks: () => readonly NetworkRecord[]) {
    this.#paths = paths;
    this.#networks = networks;
  }

  get size(): number {
    return this.#served.size;
  }

  /** True when the container's names are answered. */
  serves(id: string): boolean {
    return this.#served.has(id);
  }

  async sync(report: Report): Promise<void> {
    const wanted = new Set(this.#askers());
    for (const [id, { inode }] of this.#served) {
      if (!wanted.has(id) || this.#inode(id) !== inode) await this.#stop(id);
    }
    for (const id of wanted) {
      if (this.#served.has(id)) continue;
      try {
        await this.#start(id);
      } catch (error) {
        // The file is still there, the namespace is not: its container ended just now.
        if (errorCode(error) === "EINVAL") continue;
        report(`names in container ${id}`, error);
      }
    }
  }

  /** Containers on networks that have names; of the default one those that reach no resolver themselves. */
  #askers(): string[] {
    const isMachines = needsForwarder({});
    const isAsker = (id: string): boolean => isMachines && needsForwarder(this.#request(id));
    return this.#networks().flatMap(({ name, endpoints }) => {
      const ids = Object.keys(endpoints);
      return name === DEFAULT_NETWORK ? ids.filter(isAsker) : ids;
    });
  }

  #request(id: string): DnsRequest {
    return readRecord(containerDir(this.#paths.containers, id))?.request ?? {};
  }

  #netnsPath(id: string): string {
    return join(containerDir(this.#paths.containers, id), NETNS_FILE);
  }

  #inode(id: string): bigint | undefined {
    try {
      return statSync(this.#netnsPath(id), { bigint: true }).ino;
    } catch (error) {
      if (errorCode(error) === "ENOENT") return undefined;
      throw error;
    }
  }

  async #start(id: string): Promise<void> {
    const inode = this.#inode(id);
    if (inode === undefined) return; // It ended meanwhile.
    const server = await startDns({ path: this.#netnsPath(id) }, this.#source(id));
    this.#served.set(id, { inode, server });
  }

  #source(id: string): DnsSource {
    const request = this.#request(id);
    const own = (): NetworkRecord[] => this.#networks().filter(({ endpoints }) => endpoints[id] !== undefined);
    return {
      zones: () => zonesOf(own(), id),
      forwards: () => own().some(({ internal }) => !internal),
      upstreams: () => upstreamsOf(request),
    };
  }

  async #stop(id: string): Promise<void> {
    const served = this.#served.get(id);
    this.#served.delete(id);
    await served?.server[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#served.keys()].map((id) => this.#stop(id)));
  }
}
