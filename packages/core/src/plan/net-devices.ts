// linux.netDevices: devices of the caller's network namespace that the container gets (config-linux.md "Network Devices"). Here the
// check, launch/net-devices.ts moves them.
import { LapError, type LinuxSpec } from "@lapstrake/base";
import type { NamespacePlan } from "./namespaces.ts";
import type { NetDevicePlan } from "./types.ts";

// The kernel's rule of names; inside, one "%d" stands for the first number that is free.
const OUTSIDE = /^(?!\.{1,2}$)[^\s/:%\0]{1,15}$/;
const INSIDE = /^(?!\.{1,2}$)[^\s/:%\0]*(?:%d)?[^\s/:%\0]*$/;

function invalid(field: string, why: string): LapError {
  return new LapError("invalidArgument", "ERR_LAP_SPEC_INVALID", `${field}: ${why}`, { detail: { field } });
}

function device(name: string, inside: string): NetDevicePlan {
  const field = `linux.netDevices.${name}`;
  if (!OUTSIDE.test(name) || Buffer.byteLength(name) > 15) throw invalid(field, "is not the name of a network device");
  if (inside === "" || !INSIDE.test(inside) || Buffer.byteLength(inside) > 15)
    throw invalid(`${field}.name`, `"${inside}" is not a name for a network device`);
  return { name, inside };
}

/** Devices to move, in the order of the spec; throws `ERR_LAP_SPEC_INVALID`. */
export function netDevicesOf(linux: LinuxSpec, namespaces: NamespacePlan): NetDevicePlan[] {
  const entries = Object.entries(linux.netDevices ?? {});
  if (entries.length === 0) return [];
  if (!namespaces.isNew.has("network") && !namespaces.joined.has("network"))
    throw invalid("linux.netDevices", "devices are moved into a network namespace, and the container has the caller's");
  const devices = entries.map(([name, { name: inside }]) => device(name, inside || name));
  const names = devices.map(({ inside }) => inside).filter((inside) => !inside.includes("%d"));
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw invalid("linux.netDevices", `two devices would be named "${twice}"`);
  return devices;
}
