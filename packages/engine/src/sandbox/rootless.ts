// Containers of a user without privilege: one user namespace in which the user's own id is root. When this process already is
// the root of a namespace with a range of ids (`lap` enters one where /etc/subuid gives it), the container gets all of them;
// else it has one id, needs no setuid helper, and users besides root and supplementary groups are refused or left out.
import { getegid, geteuid } from "node:process";
import { LapError, type IdMapSpec, type LinuxSpec, type MountSpec, type RuntimeSpec } from "@lapstrake/base";
import { hostFacts, ownIdMap } from "@lapstrake/core";

/** True when this process is not the machine's root: devices, cgroups and the network are not its own. */
export function isRootless(): boolean {
  return geteuid?.() !== 0 || ownIdMap() !== undefined;
}

/** True when files may have other owners than this user: outside of every namespace, or in one with a range of ids. */
export function hasManyIds(): boolean {
  if (geteuid?.() !== 0) return false;
  const map = ownIdMap();
  return map === undefined || map.length > 1 || map[0]!.size > 1;
}

/** The same container for a user without privilege. Throws `ERR_LAP_ROOTLESS` for what one id cannot give, or no cgroup. */
export function rootlessSpec(spec: RuntimeSpec): RuntimeSpec {
  const many = hasManyIds();
  if (!many) refuseOtherUsers(spec);
  const hasCgroup = hostFacts().cgroups.length > 0;
  const { cgroupsPath, resources, ...linux } = spec.linux ?? {};
  if (!hasCgroup) refuseLimits(resources);
  const mounts = (spec.mounts ?? []).filter(({ type }) => hasCgroup || type !== "cgroup");
  const namespaces = (linux.namespaces ?? []).filter(({ type }) => hasCgroup || type !== "cgroup");
  return {
    ...spec,
    ...(many ? {} : { process: { ...spec.process!, user: { ...umaskOf(spec), uid: 0, gid: 0 } } }),
    mounts: many ? mounts : mounts.map(withoutForeignIds),
    linux: {
      ...linux,
      ...(hasCgroup && cgroupsPath !== undefined ? { cgroupsPath } : {}),
      ...(hasCgroup && resources !== undefined ? { resources } : {}),
      namespaces: [...namespaces, { type: "user" }],
      ...idMappings(many),
    },
  };
}

function umaskOf(spec: RuntimeSpec): { umask?: number } {
  const umask = spec.process?.user?.umask;
  return umask === undefined ? {} : { umask };
}

/** The ids of this process's own namespace, or its one id as root. */
function idMappings(many: boolean): Pick<LinuxSpec, "uidMappings" | "gidMappings"> {
  if (!many) {
    return {
      uidMappings: [{ containerID: 0, hostID: geteuid!(), size: 1 }],
      gidMappings: [{ containerID: 0, hostID: getegid!(), size: 1 }],
    };
  }
  return { uidMappings: sameIds(ownIdMap()), gidMappings: sameIds(ownIdMap("gid_map")) };
}

function sameIds(map: readonly IdMapSpec[] | undefined): IdMapSpec[] {
  return (map ?? []).map(({ containerID, size }) => ({ containerID, hostID: containerID, size }));
}

function refuseOtherUsers(spec: RuntimeSpec): void {
  const user = spec.process?.user;
  if ((user?.uid ?? 0) === 0 && (user?.gid ?? 0) === 0) return;
  throw new LapError("failedPrecondition", "ERR_LAP_ROOTLESS", "without root a container has one user, its own root", {
    hint: "leave --user away, install uidmap and give this user a range in /etc/subuid and /etc/subgid, or run as root",
  });
}

/** devpts gives its terminals to a group that is not mapped. */
function withoutForeignIds(mount: MountSpec): MountSpec {
  const { options } = mount;
  if (mount.type !== "devpts" || options === undefined) return mount;
  return { ...mount, options: options.filter((option) => !option.startsWith("gid=")) };
}

function refuseLimits(resources: LinuxSpec["resources"]): void {
  const { devices: _, ...limits } = resources ?? {};
  if (Object.keys(limits).length === 0) return;
  throw new LapError("failedPrecondition", "ERR_LAP_ROOTLESS", "limits need a cgroup that this user may write", {
    hint: "leave the limits away, have a cgroup v2 subtree delegated (systemd-run --user --scope -p Delegate=yes lap …), or run as root",
  });
}
