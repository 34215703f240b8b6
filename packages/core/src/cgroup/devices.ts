// Device rules: writes to the v1 devices controller, or a BPF program on a v2 directory (cgroup-v2.rst "Device controller").
import { join } from "node:path";
import type { DeviceRuleSpec, RuntimeSpec } from "@lapstrake/base";
import type { HostFacts } from "../facts/types.ts";
import type { CgroupWrite } from "../plan/types.ts";
import { USABLE_DEVICES } from "../spec/default-devices.ts";
import { controllerMount } from "./resources.ts";

/** One rule in normal form; undefined numbers are any. */
export interface DeviceRule {
  readonly allow: boolean;
  readonly type: "a" | "b" | "c";
  readonly major: number | undefined;
  readonly minor: number | undefined;
  readonly access: string;
}

function normalize(rule: DeviceRuleSpec): DeviceRule {
  const number = (value: number | undefined): number | undefined =>
    value === undefined || value < 0 ? undefined : value;
  const type = rule.type === "c" || rule.type === "b" ? rule.type : "a";
  return {
    allow: rule.allow,
    type,
    major: number(rule.major),
    minor: number(rule.minor),
    access: rule.access ?? "rwm",
  };
}

function always(): DeviceRule[] {
  const allow = USABLE_DEVICES.map(([major, minor]): DeviceRule => ({
    allow: true,
    type: "c",
    major,
    minor,
    access: "rwm",
  }));
  const mknod = (["c", "b"] as const).map((type): DeviceRule => ({
    allow: true,
    type,
    major: undefined,
    minor: undefined,
    access: "m",
  }));
  return [...mknod, ...allow];
}

/** The container's rules, last match winning: all closed, what the spec says in its order, those every container has. A node of linux.devices opens nothing by itself. */
export function deviceRules(spec: RuntimeSpec): DeviceRule[] {
  const asked = (spec.linux?.resources?.devices ?? []).map(normalize);
  const closed: DeviceRule = { allow: false, type: "a", major: undefined, minor: undefined, access: "rwm" };
  const first = asked[0];
  // A spec that opens everything first (--privileged) is meant that way.
  if (first !== undefined && first.allow && first.type === "a" && first.major === undefined) return asked;
  const rest =
    first !== undefined && !first.allow && first.type === "a" && first.major === undefined ? asked.slice(1) : asked;
  return withoutRepeats([closed, ...rest, ...always()]);
}

// A rule that comes again later decides there, so the earlier one may go.
function withoutRepeats(rules: readonly DeviceRule[]): DeviceRule[] {
  const keys = rules.map((rule) => `${rule.allow} ${formatRule(rule)}`);
  return rules.filter((_, index) => keys.lastIndexOf(keys[index]!) === index);
}

function formatRule(rule: DeviceRule): string {
  return `${rule.type} ${rule.major ?? "*"}:${rule.minor ?? "*"} ${rule.access}`;
}

/** Writes for a v1 devices controller; [] when the host has none. */
export function deviceWrites(rules: readonly DeviceRule[], facts: HostFacts, path: string): CgroupWrite[] {
  const mount = controllerMount(facts, "devices");
  if (mount === undefined || mount.version !== 1) return [];
  return rules.map((rule) => ({
    path: join(mount.mountPoint, path, rule.allow ? "devices.allow" : "devices.deny"),
    value: rule.type === "a" && rule.major === undefined && rule.minor === undefined ? "a" : formatRule(rule),
    controller: "devices",
    field: "linux.resources.devices",
  }));
}
