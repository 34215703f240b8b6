// /dev as the specification wants it: config-linux.md "Default Devices", and the links every Linux program expects.
import { LapError, type DeviceSpec } from "@lapstrake/base";
import { DEFAULT_NODES } from "../spec/default-devices.ts";
import { FILE_TYPE_BITS } from "../sys/flags.ts";
import type { PlanOp } from "./types.ts";

const CORE_LINK = "/dev/core";

const LINKS: readonly (readonly [path: string, target: string])[] = [
  ["/dev/fd", "/proc/self/fd"],
  ["/dev/stdin", "/proc/self/fd/0"],
  ["/dev/stdout", "/proc/self/fd/1"],
  ["/dev/stderr", "/proc/self/fd/2"],
  [CORE_LINK, "/proc/kcore"],
  ["/dev/ptmx", "pts/ptmx"],
];

const TYPE_BITS: Readonly<Record<string, number>> = {
  c: FILE_TYPE_BITS.char,
  u: FILE_TYPE_BITS.char,
  b: FILE_TYPE_BITS.block,
  p: FILE_TYPE_BITS.fifo,
};

function deviceOp(device: DeviceSpec, index: number): PlanOp {
  const type = TYPE_BITS[device.type];
  if (type === undefined || !device.path.startsWith("/")) {
    throw new LapError("invalidArgument", "ERR_LAP_SPEC_INVALID", `linux.devices[${index}]: type or path is invalid`);
  }
  return {
    op: "mknod",
    path: device.path,
    mode: type | (device.fileMode ?? 0o666),
    major: device.major ?? 0,
    minor: device.minor ?? 0,
    uid: device.uid ?? 0,
    gid: device.gid ?? 0,
  };
}

/** Devices and links, those of the spec first: a device that exists is left as it is. */
export function deviceOps(devices: readonly DeviceSpec[], hasKcore: boolean): PlanOp[] {
  const mknod = DEFAULT_NODES.map(([name, major, minor]): PlanOp => ({
    op: "mknod",
    path: `/dev/${name}`,
    mode: FILE_TYPE_BITS.char | 0o666,
    major,
    minor,
    uid: 0,
    gid: 0,
  }));
  const links = LINKS.filter(([path]) => hasKcore || path !== CORE_LINK).map(([path, target]): PlanOp => ({
    op: "symlink",
    target,
    path,
  }));
  return [...devices.map(deviceOp), ...mknod, ...links];
}
