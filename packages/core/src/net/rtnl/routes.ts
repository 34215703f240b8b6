// Routes of the main table: requests and parse. rtmsg is family, dst len, src len, tos, table, protocol, scope, type, flags. Pure.
import { formatIp, formatPrefix, parseIp, parsePrefix, type Prefix } from "../address.ts";
import { attrMap, concat, readU32, u32, type Attr } from "../netlink/attrs.ts";
import { NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE, type Message, type Request } from "../netlink/message.ts";
import { familyOf } from "./addresses.ts";
import * as K from "./constants.ts";

/** A unicast route of the main table. */
export interface Route {
  /** `0.0.0.0/0` and `::/0` are the default routes. */
  readonly destination: string;
  readonly gateway?: string | undefined;
  /** Index of the device. */
  readonly link?: number | undefined;
  readonly source?: string | undefined;
  readonly metric?: number | undefined;
}

/** The default destination of a gateway's family. */
export function defaultDestination(gateway: string): string {
  return gateway.includes(":") ? "::/0" : "0.0.0.0/0";
}

function rtmsg(prefix: Prefix, scope: number): Uint8Array {
  const family = familyOf(prefix.address);
  const head = [family, prefix.bits, 0, 0, K.RT_TABLE_MAIN, K.RTPROT_STATIC, scope, K.RTN_UNICAST];
  return concat([Uint8Array.from(head), u32(0)]);
}

function routeAttrs(route: Route, prefix: Prefix): Attr[] {
  const out: Attr[] = [];
  if (prefix.bits > 0) out.push({ type: K.RTA_DST, value: prefix.address });
  if (route.gateway !== undefined) out.push({ type: K.RTA_GATEWAY, value: parseIp(route.gateway) });
  if (route.link !== undefined) out.push({ type: K.RTA_OIF, value: u32(route.link) });
  if (route.source !== undefined) out.push({ type: K.RTA_PREFSRC, value: parseIp(route.source) });
  if (route.metric !== undefined) out.push({ type: K.RTA_PRIORITY, value: u32(route.metric) });
  return out;
}

function request(type: number, name: string, flags: number, route: Route, scope: number): Request {
  const prefix = parsePrefix(route.destination);
  const subject = route.destination;
  return { type, flags, header: rtmsg(prefix, scope), attrs: routeAttrs(route, prefix), name, subject };
}

/** Adds a route; with `replace` the one to the same destination gives way, without it EEXIST. */
export function addRoute(route: Route, replace = false): Request {
  const scope = route.gateway === undefined && !route.destination.includes(":") ? K.RT_SCOPE_LINK : K.RT_SCOPE_UNIVERSE;
  const flags = NLM_F_CREATE | (replace ? NLM_F_REPLACE : NLM_F_EXCL);
  return request(K.RTM_NEWROUTE, "RTM_NEWROUTE", flags, route, scope);
}

/** Deletes a route. */
export function deleteRoute(route: Route): Request {
  return request(K.RTM_DELROUTE, "RTM_DELROUTE", 0, route, K.RT_SCOPE_NOWHERE);
}

/** Asks for the routes of a family (2 or 10) in the main table (a dump). */
export function listRoutes(family: number): Request {
  const header = concat([Uint8Array.of(family, 0, 0, 0, K.RT_TABLE_MAIN, 0, 0, 0), u32(0)]);
  const attrs = [{ type: K.RTA_TABLE, value: u32(K.RT_TABLE_MAIN) }];
  return { type: K.RTM_GETROUTE, flags: 0, header, attrs, name: "RTM_GETROUTE" };
}

/** Reads an RTM_NEWROUTE; undefined for other tables and for what is not unicast. */
export function parseRoute({ payload }: Message): Route | undefined {
  if (payload[4] !== K.RT_TABLE_MAIN || payload[7] !== K.RTN_UNICAST) return undefined;
  const attrs = attrMap(payload.subarray(12));
  const ip = (type: number): string | undefined => mapped(attrs.get(type), formatIp);
  const zero = new Uint8Array(payload[0] === 2 ? 4 : 16);
  return {
    destination: formatPrefix({ address: attrs.get(K.RTA_DST) ?? zero, bits: payload[1]! }),
    gateway: ip(K.RTA_GATEWAY),
    link: mapped(attrs.get(K.RTA_OIF), readU32),
    source: ip(K.RTA_PREFSRC),
    metric: mapped(attrs.get(K.RTA_PRIORITY), readU32),
  };
}

function mapped<T>(bytes: Uint8Array | undefined, read: (bytes: Uint8Array) => T): T | undefined {
  return bytes === undefined ? undefined : read(bytes);
}
