// CPU affinity and memory policy: lists like "0-3,7" as the bit masks that sched_setaffinity(2) and set_mempolicy(2) take.
// config.md "execCPUAffinity", config-linux.md "Memory policy".
import { LapError, type LinuxSpec, type ProcessSpec } from "@lapstrake/base";
import type { PlanOp } from "./types.ts";

/** Bytes of a mask: the kernel's own limit of CPUs (CONFIG_NR_CPUS) and nodes is below. */
const MASK_BYTES = 1024;

const MODES: Readonly<Record<string, number>> = {
  MPOL_DEFAULT: 0,
  MPOL_PREFERRED: 1,
  MPOL_BIND: 2,
  MPOL_INTERLEAVE: 3,
  MPOL_LOCAL: 4,
  MPOL_PREFERRED_MANY: 5,
  MPOL_WEIGHTED_INTERLEAVE: 6,
};
const MODE_FLAGS: Readonly<Record<string, number>> = {
  MPOL_F_NUMA_BALANCING: 1 << 13,
  MPOL_F_RELATIVE_NODES: 1 << 14,
  MPOL_F_STATIC_NODES: 1 << 15,
};
/** Nodes are told by one page's worth of bits at most. */
const NODE_BYTES = 128;

function invalid(field: string, why: string): LapError {
  return new LapError("invalidArgument", "ERR_LAP_SPEC_INVALID", `${field}: ${why}`, { detail: { field } });
}

/** The mask of a list of numbers and ranges; throws `ERR_LAP_SPEC_INVALID` with the field's name. */
export function listMask(list: string, field: string, bytes: number = MASK_BYTES): Uint8Array {
  const mask = new Uint8Array(bytes);
  for (const part of list.split(",")) {
    const match = /^\s*(\d{1,6})(?:-(\d{1,6}))?\s*$/.exec(part);
    const first = Number(match?.[1]);
    const last = Number(match?.[2] ?? match?.[1]);
    if (match === null || last < first) throw invalid(field, `"${list}" is not a list such as 0-3,7`);
    if (last >= bytes * 8) throw invalid(field, `${last} is above ${bytes * 8 - 1}`);
    for (let bit = first; bit <= last; bit++) mask[bit >> 3]! |= 1 << (bit & 7);
  }
  let end = bytes;
  while (end > 8 && mask.subarray(end - 8, end).every((byte) => byte === 0)) end -= 8;
  return mask.slice(0, end);
}

/** Every CPU the cgroup allows, whatever whoever starts the container was bound to. */
export function freeAffinityOp(): PlanOp {
  return { op: "affinity", mask: new Uint8Array(MASK_BYTES).fill(0xff) };
}

function affinity(list: string | undefined, field: string): PlanOp[] {
  return list === undefined || list === "" ? [] : [{ op: "affinity", mask: listMask(list, field) }];
}

/** What an exec does before and after it joins the container's cgroup. */
export function execAffinity(process: ProcessSpec): { readonly before: PlanOp[]; readonly after: PlanOp[] } {
  const { initial, final } = process.execCPUAffinity ?? {};
  const before = affinity(initial, "process.execCPUAffinity.initial");
  const after = affinity(final, "process.execCPUAffinity.final");
  return { before, after: before.length + after.length === 0 ? [freeAffinityOp()] : after };
}

/** linux.memoryPolicy; [] without one. */
export function memoryPolicyOps(linux: LinuxSpec): PlanOp[] {
  const { memoryPolicy } = linux;
  if (memoryPolicy === undefined) return [];
  const mode = Object.hasOwn(MODES, memoryPolicy.mode) ? MODES[memoryPolicy.mode] : undefined;
  if (mode === undefined) throw invalid("linux.memoryPolicy.mode", `unknown mode "${memoryPolicy.mode}"`);
  let flags = 0;
  for (const name of memoryPolicy.flags ?? []) {
    const flag = Object.hasOwn(MODE_FLAGS, name) ? MODE_FLAGS[name] : undefined;
    if (flag === undefined) throw invalid("linux.memoryPolicy.flags", `unknown flag "${name}"`);
    flags |= flag;
  }
  const list = memoryPolicy.nodes ?? "";
  const nodes = list === "" ? new Uint8Array() : listMask(list, "linux.memoryPolicy.nodes", NODE_BYTES);
  return [{ op: "memoryPolicy", mode: mode | flags, nodes }];
}
