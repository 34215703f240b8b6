// Host facts of two imagined machines, so that golden plans are the same everywhere.
import type { HostFacts } from "../facts/types.ts";
import { CAPABILITIES } from "../spec/capabilities.ts";

/** A machine with nothing but a cgroup2 hierarchy. */
export const V2_HOST: HostFacts = {
  kernel: { release: "6.12.0", major: 6, minor: 12 },
  arch: "x86_64",
  euid: 0,
  mapped: false,
  boundingCapabilities: CAPABILITIES,
  cgroupMode: "v2",
  cgroups: [
    {
      version: 2,
      mountPoint: "/sys/fs/cgroup",
      controllers: ["cpuset", "cpu", "io", "memory", "hugetlb", "pids", "rdma"],
      root: "/",
      ownPath: "/user.slice",
    },
  ],
  nofile: { soft: 1024, hard: 524_288 },
  egid: 0,
  idHelpers: undefined,
  kcore: true,
  apparmor: false,
  selinux: false,
  shim: "/usr/lib/lapstrake/lap-shim",
};

/** A machine with v1 controllers and a cgroup2 hierarchy beside them, and one capability short. */
export const HYBRID_HOST: HostFacts = {
  ...V2_HOST,
  boundingCapabilities: CAPABILITIES.filter((name) => name !== "CAP_SYS_RESOURCE"),
  cgroupMode: "hybrid",
  cgroups: [
    ...["cpu", "cpuset", "memory", "devices", "freezer", "pids"].map((name) => ({
      version: 1 as const,
      mountPoint: `/sys/fs/cgroup/${name}`,
      controllers: [name],
      root: "/",
      ownPath: "/",
    })),
    { version: 2, mountPoint: "/sys/fs/cgroup/unified", controllers: [], root: "/", ownPath: "/" },
  ],
};
