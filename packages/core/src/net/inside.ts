// The container's side of an endpoint, whatever device it is: addresses, routes, sysctls. From outside, through a socket of the namespace.
import { errorCode } from "@lapstrake/base";
import { parseIp, parsePrefix } from "./address.ts";
import { addAddress } from "./rtnl/addresses.ts";
import { setLink, type Link } from "./rtnl/links.ts";
import { addRoute, defaultDestination, type Route } from "./rtnl/routes.ts";
import type { Rtnl } from "./rtnl/rtnl.ts";
import { writeSysctl } from "./sysctl.ts";

/** How the device is to be. */
export interface InsideSpec {
  /** Name inside: `eth0`. */
  readonly ifname: string;
  /** With prefix length: `172.18.0.2/16`, `fd00::2/64`. */
  readonly addresses: readonly string[];
  /** Default routes, at most one of a family. */
  readonly gateways?: readonly string[];
  /** Further routes; `destination` with prefix length. */
  readonly routes?: readonly { readonly destination: string; readonly gateway?: string }[];
}

/** Throws `ERR_LAP_ADDRESS`. */
export function checkInside(spec: InsideSpec): void {
  for (const address of spec.addresses) parsePrefix(address);
  for (const gateway of spec.gateways ?? []) parseIp(gateway);
}

function ipv6Sysctls(spec: InsideSpec, netns: number): void {
  const hasIpv6 = spec.addresses.some((address) => address.includes(":"));
  const set = (name: string, value: string): boolean => writeSysctl(["ipv6", "conf", spec.ifname, name], value, netns);
  try {
    set("disable_ipv6", hasIpv6 ? "0" : "1");
    set("accept_ra", "0");
    // No wait for duplicate detection: what we hand out is unique, and a link-local address follows from the MAC.
    set("accept_dad", "0");
  } catch (error) {
    // A kernel without IPv6 has none of its sysctls.
    if (errorCode(error) !== "ENOENT") throw error;
  }
}

/** Gives a device of a namespace its addresses and routes, and raises it and the loopback. */
export function configureInside(inside: Rtnl, spec: InsideSpec, netns: number): Link {
  const link = inside.link(spec.ifname);
  ipv6Sysctls(spec, netns);
  const gateways: Route[] = (spec.gateways ?? []).map((gateway) => ({
    destination: defaultDestination(gateway),
    gateway,
    link: link.index,
  }));
  const routes: Route[] = (spec.routes ?? []).map((route) => ({ ...route, link: link.index }));
  inside.batch(
    setLink(1, { up: true }, "lo"),
    ...spec.addresses.map((address) => addAddress(link.index, address)),
    setLink(link.index, { up: true }, spec.ifname),
    ...routes.map((route) => addRoute(route)),
    ...gateways.map((route) => addRoute(route, true)),
  );
  return link;
}
