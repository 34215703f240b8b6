// Connections that the kernel still remembers for an address that is gone: a later owner of the address would inherit them (UDP clients
// that keep their port, above all). NETLINK_NETFILTER's ctnetlink: list, choose, delete. linux/nfnetlink_conntrack.h.
import { errorCode } from "@lapstrake/base";
import { parseIp } from "./address.ts";
import { attrMap, decodeAttrs, type Attr } from "./netlink/attrs.ts";
import type { Message, Request } from "./netlink/message.ts";
import { NETLINK_NETFILTER, NetlinkSocket, type NetlinkOptions } from "./netlink/socket.ts";
import { nfgenmsg } from "./nft/objects.ts";

const NFNL_SUBSYS_CTNETLINK = 1;
const IPCTNL_MSG_CT_GET = 1;
const IPCTNL_MSG_CT_DELETE = 2;
const CTA_TUPLE_ORIG = 1;
const CTA_TUPLE_REPLY = 2;
const CTA_ZONE = 18;
const CTA_TUPLE_IP = 1;
const CTA_TUPLE_PROTO = 2;

function request(message: number, family: number, attrs: readonly Attr[], name: string): Request {
  return { type: (NFNL_SUBSYS_CTNETLINK << 8) | message, flags: 0, header: nfgenmsg(family), attrs, name };
}

/** Source and destination of a tuple, as received. */
function addressesOf(tuple: Uint8Array | undefined): Uint8Array[] {
  const ip = tuple === undefined ? undefined : attrMap(tuple).get(CTA_TUPLE_IP);
  return ip === undefined ? [] : decodeAttrs(ip).map(({ value }) => value);
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

/** The request that deletes a listed connection when `address` takes part in it, else undefined. */
function deletion({ payload }: Message, family: number, address: Uint8Array): Request | undefined {
  const attrs = attrMap(payload.subarray(4));
  const [original, reply] = [attrs.get(CTA_TUPLE_ORIG), attrs.get(CTA_TUPLE_REPLY)];
  const involved = [...addressesOf(original), ...addressesOf(reply)].some((each) => sameBytes(each, address));
  if (!involved || original === undefined) return undefined;
  const zone = attrs.get(CTA_ZONE);
  // Sent back as it came: the kernel finds the connection by its own words.
  const isList = (type: number): boolean => type === CTA_TUPLE_IP || type === CTA_TUPLE_PROTO;
  const nested = decodeAttrs(original).map(({ type, value }) => ({
    type,
    value: isList(type) ? decodeAttrs(value) : value,
  }));
  const out: Attr[] = [{ type: CTA_TUPLE_ORIG, value: nested }];
  if (zone !== undefined) out.push({ type: CTA_ZONE, value: zone });
  return request(IPCTNL_MSG_CT_DELETE, family, out, "IPCTNL_MSG_CT_DELETE");
}

/** Forgets every connection that an address takes part in; returns how many. Nothing happens where the kernel tracks none. */
export function forgetConnections(address: string, options: NetlinkOptions = {}): number {
  const bytes = parseIp(address);
  const family = bytes.length === 4 ? 2 : 10;
  using socket = new NetlinkSocket(NETLINK_NETFILTER, options);
  const listed = socket.dump(request(IPCTNL_MSG_CT_GET, family, [], "IPCTNL_MSG_CT_GET"));
  const deletions = listed.map((message) => deletion(message, family, bytes)).filter((each) => each !== undefined);
  return deletions.filter((each) => deleteOne(socket, each)).length;
}

function deleteOne(socket: NetlinkSocket, deleting: Request): boolean {
  try {
    socket.request(deleting);
    return true;
  } catch (error) {
    // It ended by itself.
    if (errorCode(error) === "ENOENT") return false;
    throw error;
  }
}
