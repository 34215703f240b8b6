// Published ports of members: in the record first, then in the firewall, so that what a crash leaves open is known. Whoever calls holds the
// store's network lock.
import { isLapError, LapError } from "@lapstrake/base";
import { forgetConnections, forgetUdpPort, isTranslated, type PublishedPort } from "@lapstrake/core";
import type { HostSide } from "./host-side.ts";
import { bare, publishedOn, withEndpoint, type EndpointRecord, type NetworkRecord } from "./network-record.ts";
import type { NetworkStore } from "./network-store.ts";
import type { PortBinding } from "./port-spec.ts";
import { choosePorts, defaultPublishAddress } from "./publish.ts";

/** The ports of one store. */
export class NetworkPorts {
  readonly #store: NetworkStore;
  readonly #host: HostSide;

  constructor(store: NetworkStore, host: HostSide) {
    this.#store = store;
    this.#host = host;
  }

  /** Chooses ports for `bindings` and opens them in place of those that the member has; throws `ERR_LAP_PORT_TAKEN`, `ERR_LAP_PORT_IN_USE`. */
  publish(record: NetworkRecord, endpoint: EndpointRecord, bindings: readonly PortBinding[]): EndpointRecord {
    using firewall = this.#host.firewall();
    const kernel = this.#host.kernel();
    const addresses = endpoint.addresses.map(bare);
    const hostBinding = record.hostBinding === "" ? defaultPublishAddress() : record.hostBinding;
    const target = { owner: endpoint.id, addresses, hostBinding, netns: kernel.netns, proxies: true };
    let ports: readonly PublishedPort[];
    try {
      // Its own by the record too: the keeper holds those already when a change was cut short before the firewall.
      ports = choosePorts(bindings, target, [...firewall.ports(), ...this.#proxied(), ...endpoint.ports]);
      this.#store.write(withEndpoint(record, { ...endpoint, ports }));
      firewall.replacePorts(endpoint.id, ports.filter(isTranslated));
    } catch (error) {
      this.#store.write(withEndpoint(record, endpoint));
      throw refusedPort(endpoint, error);
    }
    for (const { protocol, hostIp, hostPort } of [...ports, ...endpoint.ports]) {
      if (protocol === "udp") forgetUdpPort(hostIp, hostPort, kernel);
    }
    return { ...endpoint, ports };
  }

  /** True when a member has ports, and the firewall knows of them. */
  areOpen({ id, ports }: EndpointRecord): boolean {
    using firewall = this.#host.firewall();
    const known = firewall.ports().filter(({ owner }) => owner === id);
    return ports.length > 0 && known.length === ports.filter(isTranslated).length;
  }

  /** Takes back a member's ports, if it was given any; the firewall is not asked for nothing. */
  unpublish({ id, ports, addresses }: EndpointRecord): void {
    if (ports.length === 0) return;
    using firewall = this.#host.firewall();
    firewall.removeOwned(id);
    // Clients of a UDP port would go on talking to the address, whoever has it next.
    if (!ports.some(({ protocol }) => protocol === "udp")) return;
    for (const address of addresses) forgetConnections(bare(address), this.#host.kernel());
  }

  /** What the firewall does not know of. */
  #proxied(): PublishedPort[] {
    return publishedOn(this.#store.list()).filter((port) => !isTranslated(port));
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
