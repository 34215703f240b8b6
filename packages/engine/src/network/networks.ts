// Networks of a store, made true in the kernel: create, remove, connect, disconnect, and mend after a crash or a reboot. Order within a
// change: the record first, then the kernel, so that whoever finds a half-done change knows from the record what to undo.
import { randomBytes } from "node:crypto";
import { isLapError, LapError } from "@lapstrake/base";
import {
  allocate,
  attachEndpoint,
  detachEndpoint,
  forgetConnections,
  forgetUdpPort,
  isTranslated,
  macOfIp,
  muteEndpoint,
  openNetns,
  parseIp,
  parsePrefix,
  release,
  Rtnl,
  type InputPolicy,
  type NetnsRef,
  type Pool,
  type PublishedPort,
} from "@lapstrake/core";
import { MACHINE_NAMES } from "./hosts-file.ts";
import { HostSide } from "./host-side.ts";
import { NetworkStore, type NetworkRequest } from "./network-store.ts";
import {
  DEFAULT_NETWORK,
  desiredFirewall,
  gatewaysOf,
  nextIfname,
  publishedOn,
  type EndpointRecord,
  type NetworkRecord,
} from "./network-record.ts";
import type { PortBinding } from "./port-spec.ts";
import { choosePorts, defaultPublishAddress } from "./publish.ts";
import type { Zone } from "./dns-zone.ts";

/** Where the networks live. */
export interface NetworksOptions {
  /** The store. */
  readonly root: string;
  /** The host's network namespace; default the caller's (tests bring their own). */
  readonly netns?: number;
  /** Default `respect` (ADR 30). */
  readonly input?: InputPolicy;
}

/** A container to connect. */
export interface ConnectRequest {
  readonly containerId: string;
  readonly containerName: string;
  readonly netns: NetnsRef;
  readonly aliases?: readonly string[];
  /** Wanted addresses without prefix length, at most one of a family. */
  readonly addresses?: readonly string[];
  readonly mac?: string;
  readonly ports?: readonly PortBinding[];
}

function newEndpointId(): string {
  return randomBytes(32).toString("hex");
}

/** Networks of one store; each method is one change under the store's network lock. Synchronous. */
export class Networks {
  readonly #store: NetworkStore;
  readonly #host: HostSide;
  readonly #netns: number | undefined;

  constructor(options: NetworksOptions) {
    this.#store = new NetworkStore(options.root);
    this.#host = new HostSide(options.root, options.netns, options.input ?? "respect");
    this.#netns = options.netns;
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
    if (record.endpoints[request.containerId] !== undefined) {
      const text = `endpoint with name ${request.containerName} already exists in network ${record.name}`;
      throw new LapError("permissionDenied", "ERR_LAP_ENDPOINT_EXISTS", text);
    }
    this.#host.raise(record, () => this.#store.list());
    const leased = this.#lease(record, request);
    this.#store.write(leased.record);
    try {
      return this.#attach(leased.record, leased.endpoint, request);
    } catch (error) {
      this.#undo(leased.endpoint, request.ports?.length ?? 0);
      this.#store.write(record);
      throw error;
    }
  }

  /** Disconnects a container; false when it was not on the network. With its namespace, another network becomes its way out. */
  disconnect(wanted: string, containerId: string, netns?: NetnsRef): boolean {
    using _lock = this.#store.lock();
    const removed = this.#remove(this.#store.find(wanted), containerId);
    if (removed && netns !== undefined) this.#findWayOut(containerId, netns);
    return removed;
  }

  /** Changes the published ports of a member to `bindings`, in one step; connections that stand go on. */
  republish(wanted: string, containerId: string, bindings: readonly PortBinding[]): EndpointRecord {
    using _lock = this.#store.lock();
    const record = this.#store.find(wanted);
    const endpoint = record.endpoints[containerId];
    if (endpoint === undefined) {
      const text = `container ${containerId} is not connected to network ${record.name}`;
      throw new LapError("notFound", "ERR_LAP_NO_ENDPOINT", text);
    }
    return this.#publish(record, endpoint, bindings);
  }

  /**
   * Takes a container off every network: what the reaper asks for. Idempotent. `with-namespace` leaves the devices to the kernel, which
   * deletes them with the namespace that the caller let go of: deleting one by hand waits some 20 ms. Until then they are mute.
   */
  disconnectAll(containerId: string, devices: "delete" | "with-namespace" = "delete"): void {
    using _lock = this.#store.lock();
    for (const record of this.#store.list()) this.#remove(record, containerId, devices);
  }

  /** Gives a container another name on every network it is on. */
  rename(containerId: string, containerName: string): void {
    using _lock = this.#store.lock();
    for (const { network, endpoint } of this.endpointsOf(containerId)) {
      this.#store.write(withEndpoint(network, { ...endpoint, containerName }));
    }
  }

  /** The endpoints of a container, by network name. */
  endpointsOf(containerId: string): { readonly network: NetworkRecord; readonly endpoint: EndpointRecord }[] {
    return this.#store.list().flatMap((network) => {
      const endpoint = network.endpoints[containerId];
      return endpoint === undefined ? [] : [{ network, endpoint }];
    });
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
        if (!isAlive(containerId)) this.#remove(this.#store.find(record.id), containerId);
    }
    this.#store.sweep();
    // The default one comes with its first member.
    const records = this.#store
      .list()
      .filter(({ name, endpoints }) => name !== DEFAULT_NETWORK || Object.keys(endpoints).length > 0);
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

  #kernel(): { readonly netns?: number } {
    return this.#host.kernel();
  }

  /** The record with a new member: addresses, names of devices. */
  #lease(
    record: NetworkRecord,
    request: ConnectRequest,
  ): { readonly record: NetworkRecord; readonly endpoint: EndpointRecord } {
    const id = newEndpointId();
    const leases = record.pools.map((pool) => allocate(pool, id, wantedIn(pool, request.addresses ?? [])));
    const addresses = leases.map(({ withPrefix }) => withPrefix);
    const endpoint: EndpointRecord = {
      id,
      containerId: request.containerId,
      containerName: request.containerName,
      aliases: request.aliases ?? [],
      addresses,
      mac: request.mac ?? macOfIp(parseIp(bare(addresses[0] ?? "0.0.0.0"))),
      hostIfname: `veth${id.slice(0, 7)}`,
      ifname: nextIfname(this.#store.list(), request.containerId),
      ports: [],
    };
    return { record: withEndpoint({ ...record, pools: leases.map(({ pool }) => pool) }, endpoint), endpoint };
  }

  #attach(record: NetworkRecord, endpoint: EndpointRecord, request: ConnectRequest): EndpointRecord {
    const isFirst = this.endpointsOf(request.containerId).every(
      (other) => other.network.id === record.id || other.network.internal,
    );
    const gateways = isFirst && !record.internal ? gatewaysOf(record).map(bare) : [];
    const { bridge } = record;
    const { addresses, mac, hostIfname, ifname } = endpoint;
    attachEndpoint(
      { netns: request.netns, bridge, hostIfname, ifname, addresses, mac, gateways, isolated: !record.icc },
      this.#kernel(),
    );
    if (request.ports === undefined || request.ports.length === 0) return endpoint;
    return this.#publish(record, endpoint, request.ports);
  }

  /** Chooses and records ports, then opens them: what a crash leaves open is in the record. */
  #publish(record: NetworkRecord, endpoint: EndpointRecord, bindings: readonly PortBinding[]): EndpointRecord {
    using firewall = this.#host.firewall();
    const addresses = endpoint.addresses.map(bare);
    const hostBinding = record.hostBinding === "" ? defaultPublishAddress() : record.hostBinding;
    const target = { owner: endpoint.id, addresses, hostBinding, netns: this.#netns, proxies: true };
    let ports: readonly PublishedPort[];
    try {
      ports = choosePorts(bindings, target, [...firewall.ports(), ...this.#proxied()]);
      this.#store.write(withEndpoint(record, { ...endpoint, ports }));
      firewall.replacePorts(endpoint.id, ports.filter(isTranslated));
    } catch (error) {
      this.#store.write(withEndpoint(record, endpoint));
      throw refusedPort(endpoint, error);
    }
    for (const { protocol, hostIp, hostPort } of [...ports, ...endpoint.ports]) {
      if (protocol === "udp") forgetUdpPort(hostIp, hostPort, this.#kernel());
    }
    return { ...endpoint, ports };
  }

  /** What the firewall does not know of. */
  #proxied(): PublishedPort[] {
    return publishedOn(this.#store.list()).filter((port) => !isTranslated(port));
  }

  #remove(record: NetworkRecord, containerId: string, devices: "delete" | "with-namespace" = "delete"): boolean {
    const endpoint = record.endpoints[containerId];
    if (endpoint === undefined) return false;
    this.#unpublish(endpoint);
    if (devices === "delete") detachEndpoint(endpoint.hostIfname, this.#kernel());
    else muteEndpoint(endpoint.hostIfname, this.#kernel());
    const { [containerId]: _gone, ...endpoints } = record.endpoints;
    this.#store.write({ ...record, endpoints, pools: record.pools.map((pool) => release(pool, endpoint.id)) });
    return true;
  }

  /** Default routes through the first network that is not internal, for families that lost theirs with a device. */
  #findWayOut(containerId: string, ref: NetnsRef): void {
    const next = this.endpointsOf(containerId).find(({ network }) => !network.internal);
    if (next === undefined) return;
    using netns = openNetns(ref);
    using inside = new Rtnl({ netns: netns.fd });
    const link = inside.findLink(next.endpoint.ifname);
    if (link === undefined) return;
    const present = inside.routes().filter(({ destination }) => destination.endsWith("/0"));
    for (const gateway of gatewaysOf(next.network).map(bare)) {
      const isSet = present.some((route) => route.destination.includes(":") === gateway.includes(":"));
      if (!isSet) inside.setDefaultRoute(gateway, link);
    }
  }

  /** The kernel's side of a connection that failed, whatever of it was done. */
  #undo(endpoint: EndpointRecord, portsAsked: number): void {
    detachEndpoint(endpoint.hostIfname, this.#kernel());
    if (portsAsked === 0) return;
    using firewall = this.#host.firewall();
    firewall.removeOwned(endpoint.id);
  }

  /** Takes back a member's ports, if it was given any; the firewall is not asked for nothing. */
  #unpublish({ id, ports, addresses }: EndpointRecord): void {
    if (ports.length === 0) return;
    using firewall = this.#host.firewall();
    firewall.removeOwned(id);
    // Clients of a UDP port would go on talking to the address, whoever has it next.
    if (!ports.some(({ protocol }) => protocol === "udp")) return;
    for (const address of addresses) forgetConnections(bare(address), this.#kernel());
  }
}

/** A port that another has, in docker's words. */
function refusedPort({ id, containerName }: EndpointRecord, error: unknown): unknown {
  if (!isLapError(error) || (error.code !== "ERR_LAP_PORT_TAKEN" && error.code !== "ERR_LAP_PORT_IN_USE")) return error;
  const text = `driver failed programming external connectivity on endpoint ${containerName} (${id}): ${error.message}`;
  const { kind, code, hint, detail } = error;
  const rest = { ...(hint === undefined ? {} : { hint }), ...(detail === undefined ? {} : { detail }) };
  return new LapError(kind, code, text, { ...rest, cause: error });
}

/** What the names of a container's networks are, of all networks; the default one has none. */
export function zonesOf(networks: readonly NetworkRecord[], containerId: string): Zone[] {
  return networks
    .filter(({ name, endpoints }) => name !== DEFAULT_NETWORK && endpoints[containerId] !== undefined)
    .map((network) => ({
      network: network.name,
      fixed: Object.fromEntries(MACHINE_NAMES.map((name) => [name, gatewaysOf(network).map(bare)])),
      members: Object.values(network.endpoints).map((each) => ({
        names: [each.containerName, ...each.aliases, each.containerId.slice(0, 12)],
        addresses: each.addresses.map(bare),
      })),
    }));
}

function bare(address: string): string {
  return address.split("/")[0]!;
}

function withEndpoint(record: NetworkRecord, endpoint: EndpointRecord): NetworkRecord {
  return { ...record, endpoints: { ...record.endpoints, [endpoint.containerId]: endpoint } };
}

/** The wanted address of a pool's family. */
function wantedIn(pool: Pool, addresses: readonly string[]): string | undefined {
  const length = parsePrefix(pool.subnet).address.length;
  return addresses.find((address) => parseIp(address).length === length);
}
