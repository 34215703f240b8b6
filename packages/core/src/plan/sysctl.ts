// linux.sysctl as operations: only what belongs to a namespace of the container's own. Anything else would change the machine
// (CVE-2022-0811: kernel.core_pattern). namespaces(7), config-linux.md "Sysctl".
import { LapError, type RuntimeSpec } from "@lapstrake/base";
import type { NamespacePlan } from "./namespaces.ts";
import type { PlanOp } from "./types.ts";

const OF_IPC = new Set(
  "kernel.msgmax kernel.msgmnb kernel.msgmni kernel.sem kernel.shmall kernel.shmmax kernel.shmmni kernel.shm_rmid_forced".split(
    " ",
  ),
);

function refuse(name: string, why: string): LapError {
  const field = `linux.sysctl.${name}`;
  return new LapError("invalidArgument", "ERR_LAP_SPEC_INVALID", `${field}: ${why}`, { detail: { field } });
}

function hasOwn(namespaces: NamespacePlan, type: "ipc" | "network" | "uts"): boolean {
  return namespaces.isNew.has(type) || namespaces.joined.has(type);
}

function namespaceOf(name: string): "ipc" | "network" | "uts" | undefined {
  if (OF_IPC.has(name) || name.startsWith("fs.mqueue.")) return "ipc";
  if (name.startsWith("net.")) return "network";
  return name === "kernel.domainname" ? "uts" : undefined;
}

function check(name: string, spec: RuntimeSpec, namespaces: NamespacePlan): void {
  if (name === "kernel.hostname") throw refuse(name, 'is set by the field "hostname"');
  if (name === "kernel.domainname" && ![undefined, "", spec.linux?.sysctl?.[name]].includes(spec.domainname))
    throw refuse(name, 'is set by the field "domainname"');
  const type = namespaceOf(name);
  if (type === undefined)
    throw refuse(name, "is not in a separate kernel namespace: it would change the whole machine");
  if (!hasOwn(namespaces, type)) throw refuse(name, `needs the container to have a ${type} namespace of its own`);
}

/** Operations that set the sysctls; throws `ERR_LAP_SPEC_INVALID` for one that is not the container's own. */
export function sysctlOps(spec: RuntimeSpec, namespaces: NamespacePlan): PlanOp[] {
  return Object.entries(spec.linux?.sysctl ?? {}).map(([key, value]) => {
    // sysctl(8) takes both forms: a name with slashes keeps the dots of an interface's name.
    const firstSlash = key.indexOf("/");
    const firstDot = key.indexOf(".");
    const isPath = firstSlash >= 0 && (firstDot < 0 || firstSlash < firstDot);
    const parts = isPath ? key.split("/") : key.split(".").map((part) => part.replaceAll("/", "."));
    if (parts.some((part) => part === "" || part === "." || part === "..")) throw refuse(key, "is not a name");
    check(parts.join("."), spec, namespaces);
    return { op: "sysctl", path: `sys/${parts.join("/")}`, value };
  });
}
