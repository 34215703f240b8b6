// Containers of a user without privilege: one user namespace in which the user's own id is root. One id needs no setuid helper;
// the price is that the container has no other ids, so users besides root and supplementary groups are refused or left out.
import { getegid, geteuid } from "node:process";
import { LapError, type LinuxSpec, type MountSpec, type RuntimeSpec } from "@lapstrake/base";

/** True when this process cannot make containers as root. */
export function isRootless(): boolean {
  return geteuid?.() !== 0;
}

/** The same container for a user without privilege. Throws `ERR_LAP_ROOTLESS` for what one id cannot give. */
export function rootlessSpec(spec: RuntimeSpec): RuntimeSpec {
  const user = spec.process?.user;
  if ((user?.uid ?? 0) !== 0 || (user?.gid ?? 0) !== 0) {
    throw new LapError(
      "failedPrecondition",
      "ERR_LAP_ROOTLESS",
      "without root a container has one user, its own root",
      {
        hint: "leave --user away, or run as root",
      },
    );
  }
  const { cgroupsPath: _path, resources, ...linux } = spec.linux ?? {};
  refuseLimits(resources);
  return {
    ...spec,
    process: { ...spec.process!, user: { uid: 0, gid: 0 } },
    mounts: (spec.mounts ?? []).filter(({ type }) => type !== "cgroup").map(withoutForeignIds),
    linux: {
      ...linux,
      namespaces: [...(linux.namespaces ?? []).filter(({ type }) => type !== "cgroup"), { type: "user" }],
      uidMappings: [{ containerID: 0, hostID: geteuid!(), size: 1 }],
      gidMappings: [{ containerID: 0, hostID: getegid!(), size: 1 }],
    },
  };
}

/** devpts gives its terminals to a group that is not mapped. */
function withoutForeignIds(mount: MountSpec): MountSpec {
  const { options } = mount;
  if (mount.type !== "devpts" || options === undefined) return mount;
  return { ...mount, options: options.filter((option) => !option.startsWith("gid=")) };
}

function refuseLimits(resources: LinuxSpec["resources"]): void {
  const { memory, cpu, pids } = resources ?? {};
  if (memory === undefined && cpu === undefined && pids === undefined) return;
  throw new LapError("failedPrecondition", "ERR_LAP_ROOTLESS", "limits need a cgroup that this user may write", {
    hint: "leave the limits away, or run as root",
  });
}
