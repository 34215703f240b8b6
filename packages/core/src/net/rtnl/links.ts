// Links: requests and their parse, as plain values. rtnetlink(7), linux/if_link.h; ifinfomsg is family, type, index, flags, change. Pure.
import { LapError } from "@lapstrake/base";
import { formatMac, parseMac } from "../address.ts";
import {
  attrMap,
  concat,
  encodeAttrs,
  readText,
  readU16,
  readU32,
  readI32,
  text,
  u16,
  u32,
  u8,
  type Attr,
} from "../netlink/attrs.ts";
import { NLM_F_CREATE, NLM_F_EXCL, type Message, type Request } from "../netlink/message.ts";
import * as K from "./constants.ts";

/** A network device. */
export interface Link {
  readonly index: number;
  readonly name: string;
  /** Driver: `bridge`, `veth` …; "" for hardware and loopback. */
  readonly kind: string;
  readonly up: boolean;
  readonly loopback: boolean;
  readonly mtu: number;
  /** "" when the device has none. */
  readonly mac: string;
  /** Index of the bridge it is a port of, else undefined. */
  readonly master: number | undefined;
  /** Index of the other end of a veth, in whichever namespace that is. */
  readonly peer: number | undefined;
  readonly alias: string;
}

/** What to change about a device. */
export interface LinkChange {
  readonly name?: string;
  readonly up?: boolean;
  readonly mtu?: number;
  readonly mac?: string;
  /** Index of the bridge to join, 0 to leave it. */
  readonly master?: number;
  /** Descriptor of the network namespace to move to. */
  readonly netns?: number;
  /** Free text that the kernel keeps with the device; we name the owner in it. */
  readonly alias?: string;
  /** False asks for no address resolution (IFF_NOARP). */
  readonly arp?: boolean;
}

/** A veth end. */
export interface VethEnd extends LinkChange {
  readonly name: string;
}

const AF_BRIDGE = 7;
const AF_INET6 = 10;
const ARPHRD_LOOPBACK = 772;

// net/core/dev.c dev_valid_name: 1..15 bytes, no "/", ":" or space, not "." or "..".
const NAME = /^(?!\.{1,2}$)[^\s/:\0]{1,15}$/;

/** Throws `ERR_LAP_IFNAME` unless the kernel takes `name` for a device. */
export function checkIfname(name: string): string {
  if (NAME.test(name) && new TextEncoder().encode(name).length < 16 && !name.includes("%")) return name;
  throw new LapError("invalidArgument", "ERR_LAP_IFNAME", `invalid interface name "${name}"`, {
    hint: "use 1 to 15 characters without spaces, slashes, colons and percent signs",
  });
}

/** The fixed header of link messages. */
export function ifinfomsg(index: number, flags = 0, change = 0, family = 0): Uint8Array {
  return concat([Uint8Array.of(family, 0, 0, 0), u32(index), u32(flags), u32(change)]);
}

function flagBits(change: LinkChange): { readonly flags: number; readonly mask: number } {
  const bits = [
    { value: change.up, bit: K.IFF_UP },
    { value: change.arp === undefined ? undefined : !change.arp, bit: K.IFF_NOARP },
  ].filter(({ value }) => value !== undefined);
  const sum = (list: typeof bits): number => list.reduce((all, { bit }) => all | bit, 0);
  return { flags: sum(bits.filter(({ value }) => value)), mask: sum(bits) };
}

function changeAttrs(change: LinkChange): Attr[] {
  const out: Attr[] = [];
  if (change.name !== undefined) out.push({ type: K.IFLA_IFNAME, value: text(checkIfname(change.name)) });
  if (change.mtu !== undefined) out.push({ type: K.IFLA_MTU, value: u32(change.mtu) });
  if (change.mac !== undefined) out.push({ type: K.IFLA_ADDRESS, value: parseMac(change.mac) });
  if (change.master !== undefined) out.push({ type: K.IFLA_MASTER, value: u32(change.master) });
  if (change.netns !== undefined) out.push({ type: K.IFLA_NET_NS_FD, value: u32(change.netns) });
  if (change.alias !== undefined) out.push({ type: K.IFLA_IFALIAS, value: new TextEncoder().encode(change.alias) });
  return out;
}

function kindAttrs(kind: string, data: readonly Attr[]): Attr {
  const info: Attr[] = [{ type: K.IFLA_INFO_KIND, value: text(kind) }];
  if (data.length > 0) info.push({ type: K.IFLA_INFO_DATA, value: data });
  return { type: K.IFLA_LINKINFO, value: info };
}

function newLink(name: string, attrs: readonly Attr[], header: Uint8Array, flags: number): Request {
  return { type: K.RTM_NEWLINK, flags, header, attrs, name: "RTM_NEWLINK", subject: name };
}

const CREATE = NLM_F_CREATE | NLM_F_EXCL;

/** Makes a bridge, down, without spanning tree and forwarding delay. */
export function addBridge(name: string, change: LinkChange = {}): Request {
  const data = [
    { type: K.IFLA_BR_FORWARD_DELAY, value: u32(0) },
    { type: K.IFLA_BR_STP_STATE, value: u32(0) },
  ];
  return newLink(name, [...changeAttrs({ ...change, name }), kindAttrs("bridge", data)], ifinfomsg(0), CREATE);
}

/** Makes a veth pair, both ends down (raised at creation, the peer does not exist yet: ENOTCONN); the peer may be born elsewhere. */
export function addVeth(end: VethEnd, peer: VethEnd): Request {
  const peerBits = flagBits(peer);
  const peerHeader = ifinfomsg(0, peerBits.flags, peerBits.mask);
  const peerAttr: Attr = { type: K.VETH_INFO_PEER, value: concat([peerHeader, encodeAttrs(changeAttrs(peer))]) };
  const { flags, mask } = flagBits(end);
  return newLink(end.name, [...changeAttrs(end), kindAttrs("veth", [peerAttr])], ifinfomsg(0, flags, mask), CREATE);
}

/** How devices of one parent see each other: `bridge` lets them, `private` does not, `vepa` by the switch, `passthru` has one only. */
export const MACVLAN_MODES = { private: 1, vepa: 2, bridge: 4, passthru: 8 } as const;

/** A device on top of another one, with a MAC address of its own (macvlan) or the parent's (ipvlan, layer 2). */
export interface SubLink extends VethEnd {
  readonly kind: "macvlan" | "ipvlan";
  /** Index of the device beneath. */
  readonly parent: number;
  /** Of macvlan; default `bridge`. */
  readonly mode?: keyof typeof MACVLAN_MODES;
}

const IPVLAN_MODE_L2 = 0;

/** Makes a device on top of another, down; it may be born elsewhere. */
export function addSubLink({ kind, parent, mode = "bridge", ...end }: SubLink): Request {
  const data: Attr =
    kind === "macvlan"
      ? { type: K.IFLA_MACVLAN_MODE, value: u32(MACVLAN_MODES[mode]) }
      : { type: K.IFLA_IPVLAN_MODE, value: u16(IPVLAN_MODE_L2) };
  const beneath: Attr = { type: K.IFLA_LINK, value: u32(parent) };
  return newLink(end.name, [...changeAttrs(end), beneath, kindAttrs(kind, [data])], ifinfomsg(0), CREATE);
}

/** Changes a device by index, or with index 0 the one of `change.name`. */
export function setLink(index: number, change: LinkChange, subject = `#${index}`): Request {
  const { flags, mask } = flagBits(change);
  return newLink(subject, changeAttrs(change), ifinfomsg(index, flags, mask), 0);
}

/** Turns off the automatic link-local address (IPv6) of a device. */
export function setNoLinkLocal(index: number, subject = `#${index}`): Request {
  const inet6: Attr = {
    type: AF_INET6,
    value: [{ type: K.IFLA_INET6_ADDR_GEN_MODE, value: u8(K.IN6_ADDR_GEN_MODE_NONE) }],
  };
  return newLink(subject, [{ type: K.IFLA_AF_SPEC, value: [inet6] }], ifinfomsg(index), 0);
}

/** Options of a bridge port. */
export interface BridgePort {
  /** Sends a frame back where it came from. */
  readonly hairpin?: boolean;
  /** Isolated ports do not see each other. */
  readonly isolated?: boolean;
  /** Lets nothing in or out. */
  readonly state?: "disabled";
}

/** Changes a bridge port. */
export function setBridgePort(index: number, port: BridgePort, subject = `#${index}`): Request {
  const attrs: Attr[] = [];
  if (port.state !== undefined) attrs.push({ type: K.IFLA_BRPORT_STATE, value: u8(K.BR_STATE_DISABLED) });
  if (port.hairpin !== undefined) attrs.push({ type: K.IFLA_BRPORT_MODE, value: u8(Number(port.hairpin)) });
  if (port.isolated !== undefined) attrs.push({ type: K.IFLA_BRPORT_ISOLATED, value: u8(Number(port.isolated)) });
  const protinfo: Attr = { type: K.IFLA_PROTINFO, value: attrs };
  // RTM_NEWLINK would accept this and do nothing: the bridge listens to RTM_SETLINK of its own family.
  const header = ifinfomsg(index, 0, 0, AF_BRIDGE);
  return { type: K.RTM_SETLINK, flags: 0, header, attrs: [protinfo], name: "RTM_SETLINK", subject };
}

/** Deletes a device; the other end of a veth goes with it. */
export function deleteLink(name: string): Request {
  const attrs = [{ type: K.IFLA_IFNAME, value: text(checkIfname(name)) }];
  return { type: K.RTM_DELLINK, flags: 0, header: ifinfomsg(0), attrs, name: "RTM_DELLINK", subject: name };
}

/** Asks for one device by name, or with "" for all of them (a dump). */
export function getLink(name: string): Request {
  const attrs: Attr[] = name === "" ? [] : [{ type: K.IFLA_IFNAME, value: text(checkIfname(name)) }];
  return { type: K.RTM_GETLINK, flags: 0, header: ifinfomsg(0), attrs, name: "RTM_GETLINK", subject: name };
}

/** Reads an RTM_NEWLINK. */
export function parseLink(message: Message): Link {
  const flags = readU32(message.payload, 8);
  const attrs = attrMap(message.payload.subarray(16));
  const info = attrs.get(K.IFLA_LINKINFO);
  const kind = info === undefined ? undefined : attrMap(info).get(K.IFLA_INFO_KIND);
  const number = (type: number): number | undefined => optional(attrs.get(type), readU32);
  const mac = attrs.get(K.IFLA_ADDRESS);
  return {
    index: readI32(message.payload, 4),
    name: optional(attrs.get(K.IFLA_IFNAME), readText) ?? "",
    kind: optional(kind, readText) ?? "",
    up: (flags & K.IFF_UP) !== 0,
    loopback: (flags & K.IFF_LOOPBACK) !== 0,
    mtu: number(K.IFLA_MTU) ?? 0,
    mac: mac === undefined || readU16(message.payload, 2) === ARPHRD_LOOPBACK ? "" : formatMac(mac),
    master: number(K.IFLA_MASTER),
    peer: optional(kind, readText) === "veth" ? number(K.IFLA_LINK) : undefined,
    alias: optional(attrs.get(K.IFLA_IFALIAS), readText) ?? "",
  };
}

function optional<T>(bytes: Uint8Array | undefined, read: (bytes: Uint8Array) => T): T | undefined {
  return bytes === undefined ? undefined : read(bytes);
}
