// The devices of a member, by what its network is made of: a veth pair to our bridge, or a device on top of one of the machine's.
import {
  attachEndpoint,
  attachSubEndpoint,
  detachEndpoint,
  detachSubEndpoint,
  muteEndpoint,
  openNetns,
  Rtnl,
  type NetnsRef,
} from "@lapstrake/core";
import { bare, gatewaysOf, isBridge, type EndpointRecord, type NetworkRecord } from "./network-record.ts";

/** The host's network namespace; default the caller's. */
interface Kernel {
  readonly netns?: number;
}

/** Where a member lives, and whether this network is its way out. */
export interface Place {
  readonly netns: NetnsRef;
  readonly isWayOut: boolean;
}

/** Puts the member's device into its namespace. */
export function plugIn(record: NetworkRecord, endpoint: EndpointRecord, place: Place, kernel: Kernel): void {
  const { addresses, mac, hostIfname, ifname } = endpoint;
  const gateways = place.isWayOut ? gatewaysOf(record).map(bare) : [];
  const spec = { netns: place.netns, ifname, addresses, mac, gateways };
  const { driver = "bridge", parent = "", mode, mtu } = record;
  if (driver === "bridge") {
    attachEndpoint({ ...spec, bridge: record.bridge, hostIfname, isolated: !record.icc }, kernel);
    return;
  }
  const options = { ...(mode === undefined ? {} : { mode }), ...(mtu === undefined ? {} : { mtu }) };
  attachSubEndpoint({ ...spec, kind: driver, parent, ...options }, kernel);
}

/** False when whoever connected it was cut short: a device is raised when all else of it is done. */
export function isPluggedIn({ ifname }: EndpointRecord, ref: NetnsRef): boolean {
  using netns = openNetns(ref);
  using inside = new Rtnl({ netns: netns.fd });
  return inside.findLink(ifname)?.up === true;
}

/** Takes the member's device away while its namespace goes on. Without the namespace, what is in it goes with it. */
export function unplug(
  record: NetworkRecord,
  { hostIfname, ifname }: EndpointRecord,
  netns: NetnsRef | undefined,
  kernel: Kernel,
): void {
  if (isBridge(record)) detachEndpoint(hostIfname, kernel);
  else if (netns !== undefined) detachSubEndpoint(netns, ifname);
}

/** The namespace is on its way out: until then nothing of the member is heard. */
export function fallSilent(record: NetworkRecord, { hostIfname }: EndpointRecord, kernel: Kernel): void {
  if (isBridge(record)) muteEndpoint(hostIfname, kernel);
}

/** Default routes through `next`, for families that lost theirs with a device. */
export function findWayOut(
  next: { readonly network: NetworkRecord; readonly endpoint: EndpointRecord },
  ref: NetnsRef,
): void {
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
