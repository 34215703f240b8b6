// An endpoint: the veth pair between a bridge and a container's network namespace, configured from outside, before or while the
// container runs. The pair dies with the namespace; detach is for a live container and for what a crash left.
import { errorCode } from "@lapstrake/base";
import { macOfIp, parsePrefix } from "./address.ts";
import type { NetlinkOptions } from "./netlink/socket.ts";
import { checkInside, configureInside, type InsideSpec } from "./inside.ts";
import { openNetns, type NetnsRef } from "./netns.ts";
import { Rtnl } from "./rtnl/rtnl.ts";

/** An endpoint to be. */
export interface EndpointSpec extends InsideSpec {
  /** The container's network namespace. */
  readonly netns: NetnsRef;
  /** Bridge to join. */
  readonly bridge: string;
  /** Name of the host's end, at most 15 bytes. */
  readonly hostIfname: string;
  /** Default: follows from the first address, or the kernel's. */
  readonly mac?: string;
  /** Default: the bridge's. */
  readonly mtu?: number;
  /** Ports that are isolated do not reach each other (docker's `enable_icc=false`). */
  readonly isolated?: boolean;
}

/** An endpoint that is. */
export interface Endpoint {
  readonly hostIfname: string;
  readonly ifname: string;
  readonly mac: string;
}

function defaultMac(addresses: readonly string[]): { mac?: string } {
  const ipv4 = addresses.find((address) => !address.includes(":"));
  return ipv4 === undefined ? {} : { mac: macOfIp(parsePrefix(ipv4).address) };
}

/** Connects a namespace to a bridge; all or nothing. Throws Node-shaped errors of the kernel (EEXIST for a name that is taken). */
export function attachEndpoint(spec: EndpointSpec, options: NetlinkOptions = {}): Endpoint {
  checkInside(spec);
  using netns = openNetns(spec.netns);
  using host = new Rtnl(options);
  using inside = new Rtnl({ ...options, netns: netns.fd });
  const bridge = host.link(spec.bridge);
  const mtu = spec.mtu ?? bridge.mtu;
  const peer = {
    name: spec.ifname,
    netns: netns.fd,
    mtu,
    ...defaultMac(spec.addresses),
    ...(spec.mac ? { mac: spec.mac } : {}),
  };
  host.addVeth({ name: spec.hostIfname, master: bridge.index, mtu }, peer);
  try {
    raisePort(host, spec);
    const link = configureInside(inside, spec, netns.fd);
    return { hostIfname: spec.hostIfname, ifname: spec.ifname, mac: link.mac };
  } catch (error) {
    host.deleteLink(spec.hostIfname);
    throw error;
  }
}

function raisePort(host: Rtnl, spec: EndpointSpec): void {
  const port = host.link(spec.hostIfname);
  host.setNoLinkLocal(port);
  // Hairpin: a container that asks for its own published port gets its frames back.
  host.setBridgePort(port, { hairpin: true, isolated: spec.isolated === true });
  host.setLink(port, { up: true });
}

/** Disconnects: deletes the pair by its host end; false when it is gone already. */
export function detachEndpoint(hostIfname: string, options: NetlinkOptions = {}): boolean {
  using host = new Rtnl(options);
  return host.deleteLink(hostIfname);
}

/**
 * Nothing passes the host's end any more, and its address may be another's at once; the pair goes with its namespace. Unlike a deletion this
 * waits for nothing. False when it is gone already.
 */
export function muteEndpoint(hostIfname: string, options: NetlinkOptions = {}): boolean {
  using host = new Rtnl(options);
  const port = host.findLink(hostIfname);
  if (port === undefined) return false;
  try {
    host.setBridgePort(port, { state: "disabled" });
  } catch (error) {
    // The kernel was faster, or somebody took the device from its bridge.
    if (!["ENODEV", "EOPNOTSUPP", "EINVAL"].includes(errorCode(error) ?? "")) throw error;
  }
  return true;
}

/** Raises the loopback device of a namespace. */
export function raiseLoopback(ref: NetnsRef): void {
  using netns = openNetns(ref);
  using inside = new Rtnl({ netns: netns.fd });
  inside.loopbackUp();
}
