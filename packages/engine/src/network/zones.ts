// From records to names: what a container on user networks can ask for. Pure; the keeper's resolvers ask for every query.
import type { Member, Zone } from "./dns-zone.ts";
import { MACHINE_NAMES } from "./hosts-file.ts";
import { parseLink } from "./links.ts";
import {
  bare,
  DEFAULT_NETWORK,
  machineAddressesOf,
  type EndpointRecord,
  type NetworkRecord,
} from "./network-record.ts";

/** What the names of a container's networks are, of all networks; the default one has none. */
export function zonesOf(networks: readonly NetworkRecord[], containerId: string): Zone[] {
  return networks.flatMap((network) => {
    const own = network.endpoints[containerId];
    if (network.name === DEFAULT_NETWORK || own === undefined) return [];
    const members = Object.values(network.endpoints).map((each) => ({
      names: [each.containerName, ...each.aliases, each.containerId.slice(0, 12)],
      addresses: each.addresses.map(bare),
    }));
    const machine = machineAddressesOf(network).map(bare);
    const machines = machine.length === 0 ? [] : MACHINE_NAMES.map((name) => [name, machine] as const);
    const fixed = Object.fromEntries([...machines, ...linked(own, members)]);
    return [{ network: network.name, fixed, members }];
  });
}

/** The addresses behind a container's links, of those that are there. */
function linked({ links = [] }: EndpointRecord, members: readonly Member[]): (readonly [string, readonly string[]])[] {
  return links.map(parseLink).flatMap(({ target, alias }) => {
    const found = members.filter(({ names }) => names.includes(target));
    return found.length === 0 ? [] : [[alias.toLowerCase(), found.flatMap(({ addresses }) => addresses)] as const];
  });
}
