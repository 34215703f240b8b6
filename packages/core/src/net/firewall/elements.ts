// The desired state as elements of our sets, per family, and back. Pure.
import { LapError } from "@lapstrake/base";
import { formatIp, parseIp } from "../address.ts";
import { readU16be, u16be, u8 } from "../netlink/attrs.ts";
import { concatKey, ifnameBytes } from "../nft/expr.ts";
import type { Element, Family } from "../nft/objects.ts";
import { SETS } from "./ruleset.ts";
import type { FirewallNetwork, FirewallState, Protocol, PublishedPort } from "./types.ts";

/** Elements by set name. */
export type SetElements = ReadonlyMap<string, readonly Element[]>;

const PROTOCOLS: Readonly<Record<Protocol, number>> = { tcp: 6, udp: 17, sctp: 132 };

function protocolName(number: number): Protocol | undefined {
  return (Object.keys(PROTOCOLS) as Protocol[]).find((name) => PROTOCOLS[name] === number);
}

function checkPort(port: number): number {
  if (Number.isInteger(port) && port > 0 && port < 65_536) return port;
  throw new LapError("invalidArgument", "ERR_LAP_PORT", `invalid port "${port}"`, {
    hint: "use a port from 1 to 65535",
  });
}

/** The family an address belongs to. */
export function familyOfIp(address: string): Family {
  return address.includes(":") ? "ip6" : "ip";
}

/** An element and the set or map it stands in. */
export interface PlacedElement {
  readonly set: string;
  readonly element: Element;
}

/** The elements of a published port: in the map, as a key in the set beside it, and its address (which may come again). */
export function portElements(port: PublishedPort): PlacedElement[] {
  const hostIp = parseIp(port.hostIp);
  const address = parseIp(port.address);
  if (hostIp.length !== address.length) {
    const text = `cannot publish "${port.address}" at "${port.hostIp}": one is IPv4, the other IPv6`;
    throw new LapError("invalidArgument", "ERR_LAP_PUBLISH_FAMILY", text);
  }
  const any = hostIp.every((byte) => byte === 0);
  const rest = [u8(PROTOCOLS[port.protocol]), u16be(checkPort(port.hostPort))];
  const key = concatKey(...(any ? rest : [hostIp, ...rest]));
  const data = concatKey(address, u16be(checkPort(port.port)));
  return [
    { set: any ? SETS.publishedAny : SETS.published, element: { key, data, comment: port.owner } },
    { set: any ? SETS.portsAny : SETS.ports, element: { key, comment: port.owner } },
    { set: SETS.self, element: { key: concatKey(address, address), comment: port.owner } },
  ];
}

/** Reads what {@link portElements} wrote into a map; undefined for an element that is not of its form. */
export function parsePortElement(family: Family, set: string, element: Element): PublishedPort | undefined {
  const bytes = family === "ip" ? 4 : 16;
  const any = set === SETS.publishedAny;
  const at = any ? 0 : bytes;
  const { key, data } = element;
  const protocol = key.length === at + 8 ? protocolName(key[at]!) : undefined;
  if (protocol === undefined || data?.length !== bytes + 4) return undefined;
  return {
    owner: element.comment,
    protocol,
    hostIp: any ? formatIp(new Uint8Array(bytes)) : formatIp(key.subarray(0, bytes)),
    hostPort: readU16be(key, at + 4),
    address: formatIp(data.subarray(0, bytes)),
    port: readU16be(data, bytes),
  };
}

/** True for a port that the kernel translates: host and container speak one family. The firewall takes no others. */
export function isTranslated({ hostIp, address }: PublishedPort): boolean {
  return familyOfIp(hostIp) === familyOfIp(address);
}

/** True when a proxy is needed for some connections: those to `::1`, which the kernel cannot translate, and from one family to the other. */
export function needsProxy(port: PublishedPort): boolean {
  const address = formatIp(parseIp(port.hostIp));
  return address === "::" || address === "::1" || !isTranslated(port);
}

/** The elements of one network. */
export function networkElements(network: FirewallNetwork): PlacedElement[] {
  const key = ifnameBytes(network.bridge);
  const comment = network.id;
  const out: PlacedElement[] = [
    { set: SETS.bridges, element: { key, comment } },
    { set: SETS.within, element: { key: concatKey(key, key), comment } },
  ];
  if (network.internal) out.push({ set: SETS.internal, element: { key, comment } });
  if (network.masquerade && !network.internal) out.push({ set: SETS.outbound, element: { key, comment } });
  return out;
}

/** Every element that a family's table should hold; throws `ERR_LAP_PORT_TAKEN` when two ports of the host are one. */
export function desiredElements(family: Family, state: FirewallState): SetElements {
  const ports = state.ports.filter((port) => familyOfIp(port.hostIp) === family).flatMap(portElements);
  const out = new Map<string, Element[]>(Object.values(SETS).map((name) => [name, []]));
  for (const { set, element } of [...state.networks.flatMap(networkElements), ...ports]) out.get(set)!.push(element);
  out.set(SETS.self, unique(out.get(SETS.self)!));
  for (const [set, elements] of out) checkUnique(family, set, elements);
  return out;
}

/** The first element of each key. */
export function unique(elements: readonly Element[]): Element[] {
  return [...new Map(elements.toReversed().map((element) => [keyText(element), element])).values()].toReversed();
}

function checkUnique(family: Family, set: string, elements: readonly Element[]): void {
  const seen = new Map<string, Element>();
  for (const element of elements) {
    const key = keyText(element);
    const other = seen.get(key);
    if (other !== undefined) throw takenError(family, set, element, other.comment);
    seen.set(key, element);
  }
}

/** Keys as text, for maps. */
export function keyText(element: Element): string {
  return Buffer.from(element.key).toString("hex");
}

/** The error of a key that somebody else holds. */
export function takenError(family: Family, set: string, element: Element, owner: string): LapError {
  const port = parsePortElement(family, set, element);
  if (port === undefined)
    return new LapError("conflict", "ERR_LAP_BRIDGE_TAKEN", `bridge is used by network "${owner}"`, {
      detail: { owner },
    });
  const where = `${port.hostIp.includes(":") ? `[${port.hostIp}]` : port.hostIp}:${port.hostPort}`;
  return new LapError("conflict", "ERR_LAP_PORT_TAKEN", `Bind for ${where} failed: port is already allocated`, {
    hint: `it is published by "${owner}"`,
    detail: { ...port, owner },
  });
}
