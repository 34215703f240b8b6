// Networks of a store, made true in the kernel: create, remove, connect, disconnect, and mend after a crash or a reboot. Order within a
// change: the record first, then the kernel, so that whoever finds a half-done change knows from the record what to undo.
import type { InputPolicy, NetnsRef } from "@lapstrake/core";
import type { Zone } from "./dns-zone.ts";
import { HostSide } from "./host-side.ts";
import { Members, type ConnectRequest, type Membership } from "./members.ts";
import {
  DEFAULT_NETWORK,
  desiredFirewall,
  isBridge,
  withEndpoint,
  type EndpointRecord,
  type NetworkRecord,
} from "./network-record.ts";
import { NetworkStore, type NetworkRequest } from "./network-store.ts";
import type { PortBinding } from "./port-spec.ts";
import { zonesOf } from "./zones.ts";

/** Where the networks live. */
export interface NetworksOptions {
  /** The store. */
  readonly root: string;
  /** The host's network namespace; default the caller's (tests bring their own). */
  readonly netns?: number;
  /** Default `respect` (ADR 30). */
  readonly input?: InputPolicy;
}

/** Networks of one store; each method is one change under the store's network lock. Synchronous. */
export class Networks {
  readonly #store: NetworkStore;
  readonly #host: HostSide;
  readonly #members: Members;

  constructor(options: NetworksOptions) {
    this.#store = new NetworkStore(options.root);
    this.#host = new HostSide(options.root, options.netns, options.input ?? "respect");
    this.#members = new Members(this.#store, this.#host);
  }

  /** All networks, oldest first, the default one among them once it was used. */
  list(): NetworkRecord[] {
    return this.#store.list();
  }

  /** By name, id or unique prefix of it. */
  find(wanted: string): NetworkRecord {
    return this.#store.find(wanted);
  }

  /** The default network's record, made at first use; its bridge appears with the first member. */
  ensureDefault(): NetworkRecord {
    const found = this.#store.list().find(({ name }) => name === DEFAULT_NETWORK);
    if (found !== undefined) return found;
    using _lock = this.#store.lock();
    return this.#default();
  }

  /** Makes a network of a person; its bridge appears at once. */
  create(request: NetworkRequest): NetworkRecord {
    using _lock = this.#store.lock();
    // First: whoever lists networks makes the default one, and the last subnet is not to be taken from it.
    this.#store.ensureDefault(new Date().toISOString(), this.#host.taken());
    const record = this.#store.create(request, new Date().toISOString(), this.#host.taken());
    try {
      this.#host.raise(record, () => this.#store.list());
      return record;
    } catch (error) {
      this.#host.lower(record);
      this.#store.remove(record);
      throw error;
    }
  }

  /** Removes a network without members. */
  remove(wanted: string): NetworkRecord {
    using _lock = this.#store.lock();
    const record = this.#store.find(wanted);
    // The record last: until then the removal can be asked for again.
    if (Object.keys(record.endpoints).length === 0 && record.name !== DEFAULT_NETWORK) this.#host.lower(record);
    this.#store.remove(record);
    this.#host.leave();
    return record;
  }

  /** Takes the default network's bridge away while nobody is on it, and everything else with the last bridge; a start brings it back. */
  lowerUnused(): void {
    using _lock = this.#store.lock();
    const unused = this.#store.list().find(({ name, endpoints }) => {
      return name === DEFAULT_NETWORK && Object.keys(endpoints).length === 0;
    });
    // The name may be another store's by now.
    if (unused !== undefined && this.#host.isRaised(unused)) this.#host.lower(unused);
    this.#host.leave();
  }

  /** Connects a container; on failure nothing of it stays. The default network is made at first use. */
  connect(wanted: string, request: ConnectRequest): EndpointRecord {
    using _lock = this.#store.lock();
    const record = wanted === DEFAULT_NETWORK ? this.#default() : this.#store.find(wanted);
    return this.#members.connect(record, request);
  }

  /** Disconnects a container; false when it was not on the network. With its namespace, another network becomes its way out. */
  disconnect(wanted: string, containerId: string, netns?: NetnsRef): boolean {
    using _lock = this.#store.lock();
    return this.#members.disconnect(this.#store.find(wanted), containerId, netns);
  }

  /** Changes the published ports of a member to `bindings`, in one step; connections that stand go on. */
  republish(wanted: string, containerId: string, bindings: readonly PortBinding[]): EndpointRecord {
    using _lock = this.#store.lock();
    return this.#members.republish(this.#store.find(wanted), containerId, bindings);
  }

  /**
   * Takes a container off every network: what the reaper asks for. Idempotent. `with-namespace` leaves the devices to the kernel, which
   * deletes them with the namespace that the caller let go of: deleting one by hand waits some 20 ms. Until then they are mute.
   */
  disconnectAll(containerId: string, devices: "delete" | "with-namespace" = "delete"): void {
    using _lock = this.#store.lock();
    for (const record of this.#store.list()) this.#members.remove(record, containerId, devices);
  }

  /** Gives a container another name on every network it is on. */
  rename(containerId: string, containerName: string): void {
    using _lock = this.#store.lock();
    for (const { network, endpoint } of this.endpointsOf(containerId)) {
      this.#store.write(withEndpoint(network, { ...endpoint, containerName }));
    }
  }

  /** The endpoints of a container, by network name. */
  endpointsOf(containerId: string): Membership[] {
    return this.#members.of(containerId);
  }

  /** What the names of a container's networks are; the default network has none. */
  zonesOf(containerId: string): Zone[] {
    return zonesOf(this.#store.list(), containerId);
  }

  /** Makes bridges and firewall what the records say, without members that `isAlive` denies; returns the firewall's changes. */
  restore(isAlive: (containerId: string) => boolean): number {
    using _lock = this.#store.lock();
    for (const record of this.#store.list()) {
      for (const containerId of Object.keys(record.endpoints))
        if (!isAlive(containerId)) this.#members.remove(this.#store.find(record.id), containerId);
    }
    this.#store.sweep();
    // The default one comes with its first member.
    const isWanted = ({ name, endpoints }: NetworkRecord): boolean =>
      name !== DEFAULT_NETWORK || Object.keys(endpoints).length > 0;
    const records = this.#store.list().filter((record) => isBridge(record) && isWanted(record));
    if (records.length === 0) return 0;
    for (const record of records) this.#host.bridge(record);
    using firewall = this.#host.firewall();
    return firewall.mend(desiredFirewall(records));
  }

  /** The default network; while it has no bridge, it evades whatever came up meanwhile. */
  #default(): NetworkRecord {
    const found = this.#store.list().find(({ name }) => name === DEFAULT_NETWORK);
    if (found !== undefined && this.#host.isRaised(found)) return found;
    return this.#store.ensureDefault(new Date().toISOString(), this.#host.taken());
  }
}
