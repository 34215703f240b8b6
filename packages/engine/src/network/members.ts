// Who is on the networks of a store: connecting, disconnecting, publishing. Whoever calls holds the store's network lock. The record first,
// then the kernel: whoever finds a half-done change knows from the record what to undo.
import { LapError } from "@lapstrake/base";
import { release, type NetnsRef } from "@lapstrake/core";
import { fallSilent, findWayOut, isPluggedIn, plugIn, unplug } from "./devices.ts";
import type { HostSide } from "./host-side.ts";
import { leaseEndpoint, type LeaseRequest } from "./lease.ts";
import { NetworkPorts } from "./network-ports.ts";
import { nextIfname, type EndpointRecord, type NetworkRecord } from "./network-record.ts";
import type { NetworkStore } from "./network-store.ts";
import type { PortBinding } from "./port-spec.ts";

/** A container to connect. */
export interface ConnectRequest extends LeaseRequest {
  readonly netns: NetnsRef;
  readonly ports?: readonly PortBinding[];
}

/** A network that a container is on, and as what. */
export interface Membership {
  readonly network: NetworkRecord;
  readonly endpoint: EndpointRecord;
}

/** Members of the networks of one store. */
export class Members {
  readonly #store: NetworkStore;
  readonly #host: HostSide;
  readonly #ports: NetworkPorts;

  constructor(store: NetworkStore, host: HostSide) {
    this.#store = store;
    this.#host = host;
    this.#ports = new NetworkPorts(store, host);
  }

  /** What a container is on. */
  of(containerId: string): Membership[] {
    return this.#store.list().flatMap((network) => {
      const endpoint = network.endpoints[containerId];
      return endpoint === undefined ? [] : [{ network, endpoint }];
    });
  }

  /** Connects a container; on failure nothing of it stays. A connection that was cut short is made anew, or its ports are opened. */
  connect(wanted: NetworkRecord, request: ConnectRequest): EndpointRecord {
    const present = wanted.endpoints[request.containerId];
    if (present !== undefined && isPluggedIn(present, request.netns)) return this.#openPorts(wanted, present, request);
    const record = this.#withoutHalf(wanted, request);
    this.#host.raise(record, () => this.#store.list());
    const leased = leaseEndpoint(
      record,
      request,
      nextIfname(this.#store.list(), request.containerId, record.ifnamePrefix),
    );
    this.#store.write(leased.record);
    try {
      return this.#attach(leased.record, leased.endpoint, request);
    } catch (error) {
      this.#undo(leased.record, leased.endpoint, request);
      this.#store.write(record);
      throw error;
    }
  }

  /** Disconnects a container; false when it was not there. With its namespace, another network becomes its way out. */
  disconnect(record: NetworkRecord, containerId: string, netns?: NetnsRef): boolean {
    const removed = this.remove(record, containerId, "delete", netns);
    const next = this.of(containerId).find(({ network }) => !network.internal);
    if (removed && netns !== undefined && next !== undefined) findWayOut(next, netns);
    return removed;
  }

  /** Changes the published ports of a member to `bindings`. */
  republish(record: NetworkRecord, containerId: string, bindings: readonly PortBinding[]): EndpointRecord {
    const endpoint = record.endpoints[containerId];
    if (endpoint === undefined) {
      const text = `container ${containerId} is not connected to network ${record.name}`;
      throw new LapError("notFound", "ERR_LAP_NO_ENDPOINT", text);
    }
    return this.#ports.publish(record, endpoint, bindings);
  }

  /** The record without a connection of this container that was cut short. */
  #withoutHalf(record: NetworkRecord, { containerId, netns }: ConnectRequest): NetworkRecord {
    return this.remove(record, containerId, "delete", netns) ? this.#store.find(record.id) : record;
  }

  /** Of a connection that was cut short before its ports; a whole one is refused. */
  #openPorts(
    record: NetworkRecord,
    endpoint: EndpointRecord,
    { containerName, ports = [] }: ConnectRequest,
  ): EndpointRecord {
    if (ports.length > 0 && !this.#ports.areOpen(endpoint)) return this.#ports.publish(record, endpoint, ports);
    const text = `endpoint with name ${containerName} already exists in network ${record.name}`;
    throw new LapError("permissionDenied", "ERR_LAP_ENDPOINT_EXISTS", text);
  }

  #kernel(): { readonly netns?: number } {
    return this.#host.kernel();
  }

  #attach(record: NetworkRecord, endpoint: EndpointRecord, request: ConnectRequest): EndpointRecord {
    const isFirst = this.of(request.containerId).every(
      (other) => other.network.id === record.id || other.network.internal,
    );
    plugIn(record, endpoint, { netns: request.netns, isWayOut: isFirst && !record.internal }, this.#kernel());
    if (request.ports === undefined || request.ports.length === 0) return endpoint;
    return this.#ports.publish(record, endpoint, request.ports);
  }

  /** Takes a member away; false when it was not there. */
  remove(
    record: NetworkRecord,
    containerId: string,
    devices: "delete" | "with-namespace" = "delete",
    netns?: NetnsRef,
  ): boolean {
    const endpoint = record.endpoints[containerId];
    if (endpoint === undefined) return false;
    this.#ports.unpublish(endpoint);
    if (devices === "delete") unplug(record, endpoint, netns, this.#kernel());
    else fallSilent(record, endpoint, this.#kernel());
    const { [containerId]: _gone, ...endpoints } = record.endpoints;
    this.#store.write({ ...record, endpoints, pools: record.pools.map((pool) => release(pool, endpoint.id)) });
    return true;
  }

  /** The kernel's side of a connection that failed, whatever of it was done. */
  #undo(record: NetworkRecord, endpoint: EndpointRecord, { netns, ports = [] }: ConnectRequest): void {
    unplug(record, endpoint, netns, this.#kernel());
    if (ports.length === 0) return;
    using firewall = this.#host.firewall();
    firewall.removeOwned(endpoint.id);
  }
}
