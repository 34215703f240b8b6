// The cheap host facts that compile needs: a handful of /proc reads, about half a millisecond.
import { existsSync, readFileSync } from "node:fs";
import { release } from "node:os";
import { capabilityNames } from "../spec/capabilities.ts";
import { cgroupMode, cgroupMounts, delegated } from "./cgroups.ts";
import { parseMountInfo } from "./mountinfo.ts";
import { findNative, machineArch } from "./native.ts";
import type { CgroupMount, HostFacts } from "./types.ts";

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    // Absent files are absent facts.
    return "";
  }
}

/** Names of a capability set of this process: `CapBnd`, `CapEff` … of /proc/self/status. */
export function ownCapabilities(field: string): string[] {
  const match = new RegExp(`^${field}:\\s*([0-9a-f]+)$`, "m").exec(readText("/proc/self/status"));
  return match === null ? [] : capabilityNames(BigInt(`0x${match[1]!}`));
}

const DEFAULT_NOFILE_SOFT = 1024;

function nofile(): HostFacts["nofile"] {
  const match = /^Max open files\s+(\d+)\s+(\d+)/m.exec(readText("/proc/self/limits"));
  const hard = Number(match?.[2] ?? DEFAULT_NOFILE_SOFT);
  const soft = Number(process.env["LAP_NOFILE_SOFT"] ?? DEFAULT_NOFILE_SOFT);
  return { soft: Math.min(soft, hard), hard };
}

function idHelpers(): HostFacts["idHelpers"] {
  const [uid, gid] = ["/usr/bin/newuidmap", "/usr/bin/newgidmap"];
  return existsSync(uid!) && existsSync(gid!) ? { uid: uid!, gid: gid! } : undefined;
}

function securityModules(): readonly string[] {
  return readText("/sys/kernel/security/lsm").trim().split(",");
}

/** Every mounted hierarchy, the caller's right to it aside. */
export function cgroupHierarchies(): CgroupMount[] {
  return cgroupMounts(parseMountInfo(readText("/proc/self/mountinfo")), readText("/proc/self/cgroup"));
}

// user_namespaces(7): outside of every namespace the map is the identity over all ids.
function isMapped(): boolean {
  const map = readText("/proc/self/uid_map").trim();
  return map !== "" && !/^0\s+0\s+4294967295$/.test(map);
}

/** Facts of this host at this moment; plain JSON. */
export function hostFacts(): HostFacts {
  const euid = process.geteuid?.() ?? -1;
  const mapped = isMapped();
  const hierarchies = cgroupHierarchies();
  const cgroups = euid === 0 && !mapped ? hierarchies : delegated(hierarchies);
  const [major = 0, minor = 0] = release().split(/[.-]/).map(Number);
  const modules = securityModules();
  return {
    kernel: { release: release(), major, minor },
    arch: machineArch(),
    euid,
    mapped,
    boundingCapabilities: ownCapabilities("CapBnd"),
    cgroupMode: cgroupMode(cgroups),
    cgroups,
    nofile: nofile(),
    egid: process.getegid?.() ?? -1,
    idHelpers: idHelpers(),
    kcore: existsSync("/proc/kcore"),
    apparmor: modules.includes("apparmor"),
    selinux: modules.includes("selinux"),
    shim: findNative("lap-shim"),
  };
}
