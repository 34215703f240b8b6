// Moving the caller's network devices into a container that stands and waits: config-linux.md "Network Devices". At its end the
// kernel gives hardware back to the machine's own namespace, and removes what is virtual (network_namespaces(7)).
import { LapError } from "@lapstrake/base";
import { openNetns, type Netns } from "../net/netns.ts";
import type { LinkAddress } from "../net/rtnl/addresses.ts";
import { Rtnl } from "../net/rtnl/rtnl.ts";
import { RT_SCOPE_UNIVERSE } from "../net/rtnl/constants.ts";
import type { NetDevicePlan } from "../plan/types.ts";

/** What came of it: devices that can be given back while their namespace is held. */
export interface MovedDevices extends Disposable {
  /** For a start that fails later: the devices as they were. */
  giveBack(): void;
}

interface Moved {
  readonly name: string;
  readonly inside: string;
  readonly wasUp: boolean;
  readonly addresses: readonly LinkAddress[];
  /** False for one that could not be moved. */
  isInside: boolean;
}

function failed(name: string, why: string, cause?: unknown): LapError {
  return new LapError("failedPrecondition", "ERR_LAP_NET_DEVICE", `linux.netDevices.${name}: ${why}`, {
    ...(cause === undefined ? {} : { cause }),
  });
}

// "%d" is the first number that is free, as the kernel reads it.
function freeName(inside: Rtnl, { name, inside: wanted }: NetDevicePlan): string {
  const taken = new Set(inside.links().map((link) => link.name));
  if (!wanted.includes("%d")) {
    if (taken.has(wanted)) throw failed(name, `the container has a device "${wanted}" already`);
    return wanted;
  }
  for (let number = 0; ; number++) {
    const candidate = wanted.replace("%d", String(number));
    if (!taken.has(candidate)) return candidate;
  }
}

// A move takes the addresses away, and the device down; going down alone takes those of IPv6.
function settle(there: Rtnl, name: string, addresses: readonly LinkAddress[], isUp: boolean): void {
  const link = there.link(name);
  const present = new Set(there.addresses(link).map(({ address }) => address));
  for (const { address, broadcast } of addresses)
    if (!present.has(address)) there.addAddress(link, address, broadcast ?? null);
  if (isUp) there.setLink(link, { up: true });
}

function asItIs(host: Rtnl, inside: Rtnl, device: NetDevicePlan): Moved {
  const link = host.findLink(device.name);
  if (link === undefined) throw failed(device.name, "there is no such device");
  const addresses = host.addresses(link).filter(({ permanent, scope }) => permanent && scope === RT_SCOPE_UNIVERSE);
  return { name: device.name, inside: freeName(inside, device), wasUp: link.up, addresses, isInside: false };
}

function moveOne(host: Rtnl, inside: Rtnl, netns: Netns, device: Moved): void {
  try {
    const link = host.link(device.name);
    // A device that is up cannot be renamed.
    if (link.up) host.setLink(link, { up: false });
    host.setLink(link, { netns: netns.fd, name: device.inside });
    device.isInside = true;
    settle(inside, device.inside, device.addresses, true);
  } catch (cause) {
    throw failed(device.name, `moving it failed: ${(cause as Error).message}`, cause);
  }
}

function moveBack(netns: Netns, moved: readonly Moved[]): void {
  using host = new Rtnl();
  using inside = new Rtnl({ netns: netns.fd });
  using own = openNetns({ path: "/proc/self/ns/net" });
  for (const { name, inside: there, wasUp, addresses, isInside } of moved.toReversed()) {
    const link = isInside ? inside.findLink(there) : undefined;
    if (isInside && link === undefined) continue;
    if (link !== undefined) {
      inside.setLink(link, { up: false });
      inside.setLink(link, { netns: own.fd, name });
    }
    settle(host, name, addresses, wasUp);
  }
}

/** Moves every device into the network namespace of `pid`, all or none; throws `ERR_LAP_NET_DEVICE`. */
export function moveNetDevices(pid: number, devices: readonly NetDevicePlan[]): MovedDevices {
  const netns = openNetns({ pid });
  const moved: Moved[] = [];
  try {
    using host = new Rtnl();
    using inside = new Rtnl({ netns: netns.fd });
    for (const device of devices) {
      // Known before: what fails half way is put back too.
      const one = asItIs(host, inside, device);
      moved.push(one);
      moveOne(host, inside, netns, one);
    }
  } catch (error) {
    using _ = netns;
    moveBack(netns, moved);
    throw error;
  }
  return { giveBack: () => moveBack(netns, moved), [Symbol.dispose]: () => netns[Symbol.dispose]() };
}
