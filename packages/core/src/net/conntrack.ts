// Connections that the kernel remembers wrongly: of an address that is gone, which a later owner would inherit, and of UDP clients that
// asked a port before it was published and keep their own. NETLINK_NETFILTER's ctnetlink: list, choose, delete. nfnetlink_conntrack.h.
import { errorCode } from "@lapstrake/base";
import { parseIp } from "./address.ts";
import { attrMap, decodeAttrs, readU16be, type Attr } from "./netlink/attrs.ts";
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
const CTA_PROTO_NUM = 1;
const CTA_PROTO_DST_PORT = 3;
const UDP = 17;

function request(message: number, family: number, attrs: readonly Attr[], name: string): Request {
  return { type: (NFNL_SUBSYS_CTNETLINK << 8) | message, flags: 0, header: nfgenmsg(family), attrs, name };
}

/** One direction of a connection, as far as we look. */
interface Tuple {
  readonly addresses: readonly Uint8Array[];
  readonly protocol: number | undefined;
  readonly destinationPort: number | undefined;
}

function parseTuple(bytes: Uint8Array | undefined): Tuple {
  const attrs = bytes === undefined ? undefined : attrMap(bytes);
  const proto = attrMap(attrs?.get(CTA_TUPLE_PROTO) ?? new Uint8Array());
  const port = proto.get(CTA_PROTO_DST_PORT);
  return {
    addresses: decodeAttrs(attrs?.get(CTA_TUPLE_IP) ?? new Uint8Array()).map(({ value }) => value),
    protocol: proto.get(CTA_PROTO_NUM)?.[0],
    destinationPort: port === undefined ? undefined : readU16be(port),
  };
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

type Choice = (original: Tuple, reply: Tuple) => boolean;

/** The request that deletes a listed connection if it is chosen, else undefined. */
function deletion({ payload }: Message, family: number, choose: Choice): Request | undefined {
  const attrs = attrMap(payload.subarray(4));
  const original = attrs.get(CTA_TUPLE_ORIG);
  if (original === undefined || !choose(parseTuple(original), parseTuple(attrs.get(CTA_TUPLE_REPLY)))) return undefined;
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

function forget(family: number, choose: Choice, options: NetlinkOptions): number {
  using socket = new NetlinkSocket(NETLINK_NETFILTER, options);
  const listed = socket.dump(request(IPCTNL_MSG_CT_GET, family, [], "IPCTNL_MSG_CT_GET"));
  const deletions = listed.map((message) => deletion(message, family, choose)).filter((each) => each !== undefined);
  return deletions.filter((each) => deleteOne(socket, each)).length;
}

function familyNumber(address: string): number {
  return address.includes(":") ? 10 : 2;
}

/** Forgets every connection that an address takes part in; returns how many. For when an endpoint goes. */
export function forgetConnections(address: string, options: NetlinkOptions = {}): number {
  const bytes = parseIp(address);
  const among = ({ addresses }: Tuple): boolean => addresses.some((each) => sameBytes(each, bytes));
  return forget(familyNumber(address), (original, reply) => among(original) || among(reply), options);
}

/** Forgets what UDP clients asked a host port before; returns how many. For when the port is published, or no longer. */
export function forgetUdpPort(hostIp: string, hostPort: number, options: NetlinkOptions = {}): number {
  const chosen: Choice = ({ protocol, destinationPort }) => protocol === UDP && destinationPort === hostPort;
  return forget(familyNumber(hostIp), chosen, options);
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
