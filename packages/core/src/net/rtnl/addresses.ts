// Addresses of devices, IPv4 and IPv6: requests and parse. ifaddrmsg is family, prefix length, flags, scope, index. Pure.
import { formatIp, formatPrefix, parseIp, parsePrefix, type Prefix } from "../address.ts";
import { attrMap, concat, readU32, u32, type Attr } from "../netlink/attrs.ts";
import { NLM_F_CREATE, NLM_F_EXCL, type Message, type Request } from "../netlink/message.ts";
import * as K from "./constants.ts";

/** An address of a device. */
export interface LinkAddress {
  /** Index of the device. */
  readonly link: number;
  /** `10.0.0.2/24`. */
  readonly address: string;
  /** As `ip addr` names it: global, link, host. */
  readonly scope: number;
  readonly permanent: boolean;
  /** Of IPv4, undefined when it has none. */
  readonly broadcast?: string;
}

/** The address family number of an address. */
export function familyOf(bytes: Uint8Array): number {
  return bytes.length === 4 ? 2 : 10;
}

function ifaddrmsg(prefix: Prefix, link: number): Uint8Array {
  return concat([Uint8Array.of(familyOf(prefix.address), prefix.bits, 0, K.RT_SCOPE_UNIVERSE), u32(link)]);
}

function broadcast(prefix: Prefix): Attr[] {
  // As ip(8) and docker do: the all-ones address, where there is room for one.
  if (prefix.address.length !== 4 || prefix.bits > 30) return [];
  const mask = 0xffffffff >>> prefix.bits;
  const value = ((new DataView(prefix.address.slice().buffer).getUint32(0) | mask) >>> 0).toString(16).padStart(8, "0");
  return [{ type: K.IFA_BROADCAST, value: Uint8Array.from(Buffer.from(value, "hex")) }];
}

function givenBroadcast(text: string | null): Attr[] {
  return text === null ? [] : [{ type: K.IFA_BROADCAST, value: parseIp(text) }];
}

/**
 * Gives a device an address; an IPv6 one skips duplicate detection, because we handed it out ourselves. The broadcast address is the
 * all-ones one unless another is given, or null for none.
 */
export function addAddress(link: number, address: string, brd?: string | null): Request {
  const prefix = parsePrefix(address);
  const attrs: Attr[] = [
    { type: K.IFA_LOCAL, value: prefix.address },
    { type: K.IFA_ADDRESS, value: prefix.address },
    ...(brd === undefined ? broadcast(prefix) : givenBroadcast(brd)),
  ];
  if (prefix.address.length === 16) attrs.push({ type: K.IFA_FLAGS, value: u32(K.IFA_F_NODAD) });
  const flags = NLM_F_CREATE | NLM_F_EXCL;
  return {
    type: K.RTM_NEWADDR,
    flags,
    header: ifaddrmsg(prefix, link),
    attrs,
    name: "RTM_NEWADDR",
    subject: address,
  };
}

/** Takes an address from a device. */
export function deleteAddress(link: number, address: string): Request {
  const prefix = parsePrefix(address);
  const attrs: Attr[] = [
    { type: K.IFA_LOCAL, value: prefix.address },
    { type: K.IFA_ADDRESS, value: prefix.address },
  ];
  const header = ifaddrmsg(prefix, link);
  return { type: K.RTM_DELADDR, flags: 0, header, attrs, name: "RTM_DELADDR", subject: address };
}

/** Asks for the addresses of one device, 0 for all (a dump). */
export function listAddresses(link: number): Request {
  const header = concat([new Uint8Array(4), u32(link)]);
  return { type: K.RTM_GETADDR, flags: 0, header, attrs: [], name: "RTM_GETADDR" };
}

/** Reads an RTM_NEWADDR. */
export function parseAddress({ payload }: Message): LinkAddress {
  const attrs = attrMap(payload.subarray(8));
  const address = attrs.get(K.IFA_LOCAL) ?? attrs.get(K.IFA_ADDRESS) ?? new Uint8Array(payload[0] === 2 ? 4 : 16);
  const flags = attrs.get(K.IFA_FLAGS);
  const brd = attrs.get(K.IFA_BROADCAST);
  return {
    link: readU32(payload, 4),
    address: formatPrefix({ address, bits: payload[1]! }),
    scope: payload[3]!,
    permanent: ((flags === undefined ? payload[2]! : readU32(flags)) & K.IFA_F_PERMANENT) !== 0,
    ...(brd === undefined ? {} : { broadcast: formatIp(brd) }),
  };
}
