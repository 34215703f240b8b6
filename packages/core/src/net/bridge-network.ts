// A bridge network on the host: the bridge, its gateway addresses, its sysctls. Idempotent, because a create that was cut short is
// simply asked for again. The firewall's part is in firewall/.
import { errorCode, LapError } from "@lapstrake/base";
import { formatMac, parsePrefix } from "./address.ts";
import type { NetlinkOptions } from "./netlink/socket.ts";
import { addBridge, setLink, type Link } from "./rtnl/links.ts";
import { Rtnl } from "./rtnl/rtnl.ts";
import { readSysctl, writeSysctl } from "./sysctl.ts";

/** A bridge network to be. */
export interface BridgeNetworkSpec {
  /** Owner, kept as alias of the bridge: `lapstrake:<id>`. */
  readonly id: string;
  /** Where the owner's records are, told behind the id where the kernel has room for it: {@link ownedBridges} finds it again. */
  readonly home?: string;
  /** Device name, at most 15 bytes. */
  readonly bridge: string;
  /** Gateway addresses with prefix length: `172.18.0.1/16`, `fd00::1/64`. None for a network without IP of the host. */
  readonly gateways: readonly string[];
  /** Default: the kernel's. */
  readonly mtu?: number;
  /** Default: one that stays the bridge's own (a bridge otherwise takes that of its ports). */
  readonly mac?: string;
  /** No way out: forwarding is not asked for. */
  readonly internal?: boolean;
}

/** A bridge of ours, whoever's records it belongs to. */
export interface OwnedBridge {
  readonly id: string;
  readonly home: string | undefined;
  readonly bridge: string;
  /** False: nobody is connected, and whoever needs the bridge makes it again. */
  readonly isUsed: boolean;
}

const ALIAS = "lapstrake:";
/** IFALIASZ of linux/if.h, with its end. */
const MAX_ALIAS = 255;

function aliasOf({ id, home }: BridgeNetworkSpec): string {
  const whole = home === undefined ? `${ALIAS}${id}` : `${ALIAS}${id} ${home}`;
  return Buffer.byteLength(whole) <= MAX_ALIAS ? whole : `${ALIAS}${id}`;
}

function isOf(link: Link, id: string): boolean {
  return link.alias === `${ALIAS}${id}` || link.alias.startsWith(`${ALIAS}${id} `);
}

/** Every bridge of ours in the network namespace. */
export function ownedBridges(options: NetlinkOptions = {}): OwnedBridge[] {
  using rtnl = new Rtnl(options);
  const links = rtnl.links();
  const masters = new Set(links.map(({ master }) => master));
  return links.flatMap(({ alias, kind, name, index }) => {
    const [, id, home] = /^lapstrake:(\S+)(?: (.*))?$/.exec(alias) ?? [];
    return kind !== "bridge" || id === undefined ? [] : [{ id, home, bridge: name, isUsed: masters.has(index) }];
  });
}

function ensureBridge(rtnl: Rtnl, spec: BridgeNetworkSpec): Link {
  const found = rtnl.findLink(spec.bridge);
  if (found !== undefined && isOf(found, spec.id)) return found;
  if (found !== undefined) {
    throw new LapError(
      "conflict",
      "ERR_LAP_BRIDGE_TAKEN",
      `device "${spec.bridge}" exists and is not of this network`,
      {
        hint: "remove it, or name another bridge",
      },
    );
  }
  // The kernel ignores an alias at creation, and a bridge keeps only an MTU and MAC that are set later. Both requests travel in one
  // datagram, so that no kill comes between them: a bridge without its alias would be nobody's.
  const rest = {
    name: spec.bridge,
    alias: aliasOf(spec),
    mac: spec.mac ?? randomMac(),
    ...(spec.mtu ? { mtu: spec.mtu } : {}),
  };
  rtnl.batch(addBridge(spec.bridge), setLink(0, rest, spec.bridge));
  return rtnl.link(spec.bridge);
}

/** A locally administered address. */
function randomMac(): string {
  return formatMac(
    Uint8Array.from([2, 0, 0, 0, 0, 0], (byte, i) => (i === 0 ? byte : Math.floor(Math.random() * 256))),
  );
}

function setIfThere(path: readonly string[], value: string, netns: number | undefined): void {
  try {
    writeSysctl(path, value, netns);
  } catch (error) {
    // A kernel without IPv6 has none of its sysctls.
    if (errorCode(error) !== "ENOENT") throw error;
  }
}

function bridgeSysctls(spec: BridgeNetworkSpec, netns: number | undefined): void {
  const hasIpv6 = spec.gateways.some((gateway) => gateway.includes(":"));
  setIfThere(["ipv6", "conf", spec.bridge, "disable_ipv6"], hasIpv6 ? "0" : "1", netns);
  setIfThere(["ipv6", "conf", spec.bridge, "accept_ra"], "0", netns);
  // Neighbours are asked for from the link-local address, which duplicate detection would hold back for two seconds.
  setIfThere(["ipv6", "conf", spec.bridge, "accept_dad"], "0", netns);
  // Ports published on loopback reach containers with a 127/8 source until it is translated; the firewall keeps foreign 127/8 out.
  writeSysctl(["ipv4", "conf", spec.bridge, "route_localnet"], spec.internal === true ? "0" : "1", netns);
}

/** A sysctl that forwarding changes on the host, with what it was. */
export interface ForwardingChange {
  readonly sysctl: string;
  readonly before: string;
}

/** Puts back what {@link enableForwarding} changed. */
export function undoForwarding(changes: readonly ForwardingChange[], netns?: number): void {
  for (const { sysctl, before } of changes) setIfThere(sysctl.split(".").slice(1), before, netns);
}

/** Turns on forwarding for the families in use; returns what changed, for the caller to tell. */
export function enableForwarding(gateways: readonly string[], netns?: number): ForwardingChange[] {
  const wanted = [
    { path: ["ipv4", "ip_forward"], wanted: gateways.some((gateway) => !gateway.includes(":")) },
    { path: ["ipv6", "conf", "all", "forwarding"], wanted: gateways.some((gateway) => gateway.includes(":")) },
  ];
  return wanted
    .filter((each) => each.wanted)
    .map(({ path }) => ({ path, before: readSysctl(path, netns) }))
    .filter(({ path }) => writeSysctl(path, "1", netns))
    .map(({ path, before }) => ({ sysctl: `net.${path.join(".")}`, before }));
}

/** How to make a bridge network. */
export interface BridgeNetworkOptions extends NetlinkOptions {
  /** Told of what making it changes on the host beyond the bridge. */
  readonly onForwarding?: (changes: readonly ForwardingChange[]) => void;
}

/** Makes the bridge of a network and raises it; done again it changes nothing. Throws `ERR_LAP_BRIDGE_TAKEN`. */
export function createBridgeNetwork(spec: BridgeNetworkSpec, options: BridgeNetworkOptions = {}): Link {
  for (const gateway of spec.gateways) parsePrefix(gateway);
  using rtnl = new Rtnl(options);
  const link = ensureBridge(rtnl, spec);
  // Raised last: one that is up has the rest.
  if (!link.up) configure(rtnl, link, spec, options.netns);
  if (spec.internal !== true) {
    const changes = enableForwarding(spec.gateways, options.netns);
    if (changes.length > 0) options.onForwarding?.(changes);
  }
  return link.up ? link : rtnl.link(spec.bridge);
}

function configure(rtnl: Rtnl, link: Link, spec: BridgeNetworkSpec, netns: number | undefined): void {
  bridgeSysctls(spec, netns);
  const present = new Set(rtnl.addresses(link).map(({ address }) => address));
  for (const gateway of spec.gateways) if (!present.has(gateway)) rtnl.addAddress(link, gateway);
  rtnl.setLink(link, { up: true });
}

/** Deletes the bridge of a network; false when there was none. Refuses a device that is not of this network. */
export function removeBridgeNetwork(
  spec: Pick<BridgeNetworkSpec, "id" | "bridge">,
  options: NetlinkOptions = {},
): boolean {
  using rtnl = new Rtnl(options);
  const found = rtnl.findLink(spec.bridge);
  if (found === undefined) return false;
  if (!isOf(found, spec.id)) {
    throw new LapError("conflict", "ERR_LAP_BRIDGE_TAKEN", `device "${spec.bridge}" is not of this network`);
  }
  return rtnl.deleteLink(spec.bridge);
}
