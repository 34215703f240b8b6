// Devices of the machine in a container: --device, --device-cgroup-rule and --privileged -> linux.devices and the device rules.
import { lstatSync, readdirSync, statSync, type Stats } from "node:fs";
import { join } from "node:path";
import { LapError, errorCode, type DeviceRuleSpec, type DeviceSpec } from "@lapstrake/base";
import type { DeviceRequest, SharingRequest } from "./request-limits.ts";
import { splitDevice } from "./resources.ts";

/** Of /dev, what is not the machine's devices but made anew in each container. */
const OWN_IN_CONTAINER = new Set(["pts", "shm", "mqueue", "fd", "console", "ptmx"]);
const MODE_BITS = 0o777;

/** Nodes to make and rules to allow them. */
export interface DeviceAccess {
  readonly devices: readonly DeviceSpec[];
  readonly rules: readonly DeviceRuleSpec[];
}

/** What a request asks for. Throws `ERR_LAP_DEVICE` in docker's words. */
export function deviceAccess(request: SharingRequest & { readonly privileged?: boolean }): DeviceAccess {
  if (request.privileged === true) {
    return { devices: nodesBelow("/dev", "/dev"), rules: [{ allow: true, access: "rwm" }] };
  }
  const asked = (request.devices ?? []).map((device) => ({ device, nodes: nodesOf(device) }));
  const rules = asked.flatMap(({ device, nodes }) => nodes.map((node) => ruleFor(node, device.permissions)));
  return {
    devices: asked.flatMap(({ nodes }) => nodes),
    rules: [...rules, ...(request.deviceCgroupRules ?? []).map(parseRule)],
  };
}

function ruleFor({ type, major, minor }: DeviceSpec, access: string): DeviceRuleSpec {
  return { allow: true, type, major: major!, minor: minor!, access };
}

function nodesOf({ source, target }: DeviceRequest): DeviceSpec[] {
  let stat: Stats;
  try {
    stat = statSync(source);
  } catch (cause) {
    const why = errorCode(cause) === "ENOENT" ? "no such file or directory" : String(errorCode(cause));
    throw deviceError(source, why, cause);
  }
  if (stat.isDirectory()) return nodesBelow(source, target);
  const node = nodeSpec(stat, target);
  if (node === undefined) throw deviceError(source, "not a device node");
  return [node];
}

function deviceError(source: string, why: string, cause?: unknown): LapError {
  const text = `error gathering device information while adding custom device "${source}": ${why}`;
  return new LapError("invalidArgument", "ERR_LAP_DEVICE", text, { cause });
}

function nodeSpec(stat: Stats, path: string): DeviceSpec | undefined {
  const type = stat.isCharacterDevice() ? "c" : stat.isBlockDevice() ? "b" : undefined;
  if (type === undefined) return undefined;
  return { type, path, ...splitDevice(stat.rdev), fileMode: stat.mode & MODE_BITS, uid: stat.uid, gid: stat.gid };
}

/** Every device node beneath a folder; links are left out, and what goes away while we look. */
function nodesBelow(folder: string, target: string): DeviceSpec[] {
  return readdirSync(folder).flatMap((name) => {
    if (OWN_IN_CONTAINER.has(name)) return [];
    const [path, inside] = [join(folder, name), join(target, name)];
    try {
      const stat = lstatSync(path);
      return stat.isDirectory() ? nodesBelow(path, inside) : (nodeSpec(stat, inside) ?? []);
    } catch (error) {
      if (errorCode(error) === "ENOENT") return [];
      throw error;
    }
  });
}

/** `c 1:3 rwm`, `a *:* rwm`. Throws `ERR_LAP_DEVICE`. */
export function parseRule(text: string): DeviceRuleSpec {
  const [, type = "", major = "", minor = "", access = ""] =
    /^([acb]) ([0-9]+|\*):([0-9]+|\*) ([rwm]{1,3})$/.exec(text) ?? [];
  if (access === "")
    throw new LapError("invalidArgument", "ERR_LAP_DEVICE", `invalid device cgroup rule format: '${text}'`);
  return {
    allow: true,
    type,
    ...(major === "*" ? {} : { major: Number(major) }),
    ...(minor === "*" ? {} : { minor: Number(minor) }),
    access,
  };
}
