// What the host can do: the cheap facts that compile needs, and the whole list that `lap doctor` prints.

/** One line of `lap doctor`; plain JSON. */
export interface HostFact {
  /** Stable, dotted: `kernel.release`, `cgroup.memory`, `overlay.lowerdir_plus` … Tests skip by it. */
  readonly id: string;
  readonly title: string;
  readonly value: string | number | boolean | readonly string[] | null;
  readonly verdict: "ok" | "warn" | "missing";
  /** What to do about it, when the verdict is not ok. */
  readonly remedy?: string;
}

/** One mounted cgroup hierarchy. */
export interface CgroupMount {
  readonly version: 1 | 2;
  readonly mountPoint: string;
  /** v1: `memory`, `cpu`, `name=systemd` …; v2: the controllers of its root. */
  readonly controllers: readonly string[];
  /** Path of this hierarchy that is visible at the mount point (mountinfo root). */
  readonly root: string;
  /** Path of the calling process in this hierarchy. */
  readonly ownPath: string;
}

/** The facts that `compile` reads: plain JSON, cheap to collect (a few /proc reads). */
export interface HostFacts {
  readonly kernel: { readonly release: string; readonly major: number; readonly minor: number };
  readonly arch: "x86_64" | "aarch64";
  readonly euid: number;
  /** This process lives in a user namespace: its root is not the machine's, and devices and cgroups are not its own. */
  readonly mapped: boolean;
  /** Names in the bounding set of this process. */
  readonly boundingCapabilities: readonly string[];
  readonly cgroupMode: "v1" | "v2" | "hybrid" | "none";
  /** Where containers may have cgroups: every hierarchy for the machine's root, else the v2 subtree delegated to the caller. */
  readonly cgroups: readonly CgroupMount[];
  /** Open-file limit a container gets unless told: Node raised its own soft limit, so that one says nothing. */
  readonly nofile: { readonly soft: number; readonly hard: number };
  readonly egid: number;
  /** newuidmap(1) and newgidmap(1), when both are installed: how a user without privilege gets more than one id. */
  readonly idHelpers: { readonly uid: string; readonly gid: string } | undefined;
  /** /proc/kcore exists: then /dev/core is a link to it. */
  readonly kcore: boolean;
  readonly apparmor: boolean;
  readonly selinux: boolean;
  /** Absolute path of the native helper, undefined when it was not built. */
  readonly shim: string | undefined;
}
