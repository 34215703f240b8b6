// From records to names: what a container on user networks can ask for. Pure; the keeper's resolvers ask for every query.
import type { Zone } from "./dns-zone.ts";
import { MACHINE_NAMES } from "./hosts-file.ts";
import { bare, DEFAULT_NETWORK, machineAddressesOf, type NetworkRecord } from "./network-record.ts";

/** What the names of a container's networks are, of all networks; the default one has none. */
export function zonesOf(networks: readonly NetworkRecord[], containerId: string): Zone[] {
  return networks
    .filter(({ name, endpoints }) => name !== DEFAULT_NETWORK && endpoints[containerId] !== undefined)
    .map((network) => ({
      network: network.name,
      fixed: Object.fromEntries(MACHINE_NAMES.map((name) => [name, machineAddressesOf(network).map(bare)])),
      members: Object.values(network.endpoints).map((each) => ({
        names: [each.containerName, ...each.aliases, each.containerId.slice(0, 12)],
        addresses: each.addresses.map(bare),
      })),
    }));
}
