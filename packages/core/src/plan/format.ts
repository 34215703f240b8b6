// A plan as text, one operation a line: golden tests compare it, `--debug=plan` prints it.
import { OPS } from "./ops.ts";
import type { FieldType } from "./ops.ts";
import type { LaunchPlan, PlanOp, PlanValue } from "./types.ts";

const HEX = new Set([
  "flags",
  "attr",
  "set",
  "clear",
  "recursiveSet",
  "recursiveClear",
  "propagation",
  "keep",
  "effective",
  "permitted",
  "inheritable",
  "ambient",
]);
const OCTAL = new Set(["mode", "mask"]);

function formatValue(name: string, type: FieldType, value: PlanValue): string {
  if (value instanceof Uint8Array) return `<${value.length} bytes>`;
  if (type === "u32" || type === "u64") {
    if (OCTAL.has(name)) return `0${Number(value).toString(8)}`;
    return HEX.has(name) ? `0x${BigInt(value as number).toString(16)}` : String(value);
  }
  return JSON.stringify(value);
}

function formatOp(op: PlanOp, index: number): string {
  const fields = Object.entries(OPS[op.op] ?? {});
  const shown = fields.map(([name, type]) => ` ${name}=${formatValue(name, type, op[name]!)}`);
  return `${String(index).padStart(3)} ${op.op}${shown.join("")}`;
}

function formatHeader(plan: LaunchPlan): string[] {
  const { options, cgroups } = plan;
  return [
    `plan v${plan.version} id=${options.id} stdio=${options.stdio} stdin=${options.openStdin ? "open" : "null"}${options.stdinOnce ? " once" : ""}${options.foreground ? " foreground" : ""}`,
    `clone 0x${plan.cloneFlags.toString(16)}`,
    ...(plan.pidNamespace === undefined ? [] : [`pid namespace ${plan.pidNamespace}`]),
    ...plan.earlyNamespaces.map((path) => `early namespace ${path}`),
    ...(plan.uidMap.length === 0 ? [] : [`maps uid=${plan.uidMap.join(" ")} gid=${plan.gidMap.join(" ")}`]),
    ...cgroups.v1.map((group) => `cgroup v1 ${group.controllers.join(",")} ${group.path}`),
    ...(cgroups.v2 === undefined ? [] : [`cgroup v2 ${cgroups.v2}`]),
    ...cgroups.writes.map((write) => `write ${write.path} ${JSON.stringify(write.value)}`),
    ...plan.netDevices.map(({ name, inside }) => `device ${name} as ${inside}`),
    ...plan.warnings.map((warning) => `warning ${warning}`),
  ];
}

/** Stable, readable text of a plan, ending in a newline. */
export function formatPlan(plan: LaunchPlan): string {
  return `${[...formatHeader(plan), ...plan.ops.map(formatOp)].join("\n")}\n`;
}
