// An endpoint without a bridge: a device on top of one of the machine's, so that the container stands in the network beside the machine
// (macvlan, ipvlan). It lies in the container's namespace from its first moment and dies with it; the machine has no end of it.
import { errorCode, LapError } from "@lapstrake/base";
import { checkInside, configureInside, type InsideSpec } from "./inside.ts";
import type { NetlinkOptions } from "./netlink/socket.ts";
import { openNetns, type NetnsRef } from "./netns.ts";
import type { MACVLAN_MODES } from "./rtnl/links.ts";
import { Rtnl } from "./rtnl/rtnl.ts";

/** One to be. */
export interface SubEndpointSpec extends InsideSpec {
  /** The container's network namespace. */
  readonly netns: NetnsRef;
  readonly kind: "macvlan" | "ipvlan";
  /** Name of the machine's device. */
  readonly parent: string;
  /** Of macvlan; default `bridge`. */
  readonly mode?: keyof typeof MACVLAN_MODES;
  /** Of macvlan: default the kernel's choice. An ipvlan device has its parent's. */
  readonly mac?: string;
  /** Default: the parent's. */
  readonly mtu?: number;
}

/** Throws `ERR_LAP_NO_PARENT` unless the machine has the device. */
export function checkParent(parent: string, options: NetlinkOptions = {}): void {
  using host = new Rtnl(options);
  if (host.findLink(parent) === undefined) throw noParent(parent);
}

function noParent(parent: string): LapError {
  const vlan = /^(.+)\.(\d+)$/.exec(parent);
  const hint =
    vlan === null ? {} : { hint: `make it: ip link add link ${vlan[1]} name ${parent} type vlan id ${vlan[2]}` };
  return new LapError("notFound", "ERR_LAP_NO_PARENT", `parent device "${parent}" does not exist`, hint);
}

/** Puts the device into the namespace; all or nothing. Throws `ERR_LAP_NO_PARENT`, `ERR_LAP_NO_DEVICE_KIND` and the kernel's errors. */
export function attachSubEndpoint(spec: SubEndpointSpec, options: NetlinkOptions = {}): void {
  checkInside(spec);
  using netns = openNetns(spec.netns);
  using host = new Rtnl(options);
  using inside = new Rtnl({ ...options, netns: netns.fd });
  const parent = host.findLink(spec.parent);
  if (parent === undefined) throw noParent(spec.parent);
  const { kind, ifname, mode, mac, mtu } = spec;
  const own = { ...(mac === undefined || kind === "ipvlan" ? {} : { mac }), ...(mtu === undefined ? {} : { mtu }) };
  try {
    host.addSubLink({
      kind,
      parent: parent.index,
      ...(mode === undefined ? {} : { mode }),
      name: ifname,
      netns: netns.fd,
      ...own,
    });
  } catch (error) {
    throw refused(spec, error);
  }
  try {
    configureInside(inside, spec, netns.fd);
  } catch (error) {
    inside.deleteLink(ifname);
    throw error;
  }
}

function refused({ kind, parent }: SubEndpointSpec, error: unknown): unknown {
  const code = errorCode(error);
  if (code === "EOPNOTSUPP") {
    const text = `this kernel has no ${kind} devices`;
    return new LapError("failedPrecondition", "ERR_LAP_NO_DEVICE_KIND", text, {
      hint: `load the module ${kind}`,
      cause: error,
    });
  }
  if (code !== "EBUSY" && code !== "EINVAL") return error;
  const text = `the kernel makes no ${kind} device on top of "${parent}"`;
  const hint = "one device carries macvlan or ipvlan, not both, and none that is a port of a bridge";
  return new LapError("conflict", "ERR_LAP_PARENT_BUSY", text, { hint, cause: error });
}

/** Takes the device out of a namespace that goes on; false when it is gone already. */
export function detachSubEndpoint(netns: NetnsRef, ifname: string): boolean {
  using ref = openNetns(netns);
  using inside = new Rtnl({ netns: ref.fd });
  return inside.deleteLink(ifname);
}
