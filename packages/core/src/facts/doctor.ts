// Everything that `lap doctor` prints: what this host can do, with a verdict and a remedy. Tests skip by the ids.
import { koffi } from "../sys/koffi.ts";
import { existsSync } from "node:fs";
import { cgroupHierarchies, hostFacts, ownCapabilities } from "./host.ts";
import { cgroupMode } from "./cgroups.ts";
import { findNative } from "./native.ts";
import * as probe from "./probes.ts";
import { networkRuleFacts } from "../net/facts.ts";
import type { HostFact, HostFacts } from "./types.ts";
import { onPath } from "./on-path.ts";

const CONTROLLERS = [
  "cpu",
  "cpuset",
  "memory",
  "pids",
  "blkio",
  "devices",
  "freezer",
  "hugetlb",
  "net_cls",
  "net_prio",
  "rdma",
];
const NAMESPACES = ["pid", "mnt", "uts", "ipc", "net", "cgroup", "user", "time"];
const NEEDED_CONTROLLERS = new Set(["cpu", "memory", "pids"]);

type Value = HostFact["value"];

function good(id: string, title: string, value: Value): HostFact {
  return { id, title, value, verdict: "ok" };
}

function bad(id: string, title: string, value: Value, verdict: "warn" | "missing", remedy: string): HostFact {
  return { id, title, value, verdict, remedy };
}

function either(
  isThere: boolean,
  id: string,
  title: string,
  remedy: string,
  verdict: "warn" | "missing" = "missing",
): HostFact {
  return isThere ? good(id, title, true) : bad(id, title, false, verdict, remedy);
}

function canLoadFfi(): boolean {
  try {
    koffi();
    return true;
  } catch {
    // Its error says how to install it; doctor says so too.
    return false;
  }
}

function baseFacts(facts: HostFacts): HostFact[] {
  const { release, major, minor } = facts.kernel;
  const isNew = major > 5 || (major === 5 && minor >= 12);
  return [
    isNew
      ? good("kernel.release", "kernel", release)
      : bad("kernel.release", "kernel", release, "missing", "the new mount interface needs Linux 5.12 or newer"),
    good("node.version", "Node.js", process.version),
    good("arch", "architecture", facts.arch),
    facts.euid === 0
      ? good("user.root", "user", "root")
      : bad(
          "user.root",
          "user",
          `uid ${facts.euid}`,
          "missing",
          "run as root: the Linux sandbox mounts and makes namespaces",
        ),
    either(
      canLoadFfi(),
      "ffi.koffi",
      "foreign functions (koffi)",
      "install the optional dependency @koromix/koffi-linux-x64 (or -arm64)",
    ),
    either(
      facts.shim !== undefined,
      "native.shim",
      "native helper lap-shim",
      "install gcc and libc6-dev, then run: node native/build.mjs",
    ),
    either(
      findNative("lap") !== undefined,
      "native.launcher",
      "launchers lap and lap-runtime",
      "install gcc and libc6-dev, then run: node native/build.mjs",
      "warn",
    ),
    either(
      onPath("cc") || onPath("gcc"),
      "native.cc",
      "C compiler",
      "only needed to build the native parts from a clone: install gcc",
      "warn",
    ),
  ];
}

function filesystemFacts(): HostFact[] {
  const ffi = canLoadFfi();
  return [
    either(probe.hasFilesystem("overlay"), "overlay.filesystem", "overlayfs", "load the module: modprobe overlay"),
    either(
      ffi && probe.overlayTakesLayersOneByOne(),
      "overlay.lowerdir_plus",
      "overlay layers one by one",
      "needs Linux 6.8 or newer, and root; before, about 200 layers fit",
    ),
    either(
      ffi && probe.hasOpenat2(),
      "kernel.openat2",
      "path resolution beneath a directory",
      "needs Linux 5.6 or newer",
    ),
    either(probe.hasFilesystem("fuse"), "fs.fuse", "FUSE", "load the module: modprobe fuse", "warn"),
    either(
      cgroupHierarchies().length > 0,
      "cgroup.mounted",
      "cgroups are mounted",
      "mount -t cgroup2 cgroup2 /sys/fs/cgroup",
    ),
  ];
}

function delegation(facts: HostFacts): HostFact[] {
  if (facts.euid === 0 && !facts.mapped) return [];
  const given = facts.cgroups[0];
  const remedy =
    "limits without root need a cgroup v2 subtree that belongs to the user: systemd-run --user --scope -p Delegate=yes lap …";
  if (given === undefined) return [bad("cgroup.delegated", "delegated cgroup", false, "warn", remedy)];
  return [good("cgroup.delegated", "delegated cgroup", [given.mountPoint, ...given.controllers])];
}

function cgroupFacts(facts: HostFacts): HostFact[] {
  const hierarchies = cgroupHierarchies();
  const v2 = hierarchies.find((mount) => mount.version === 2);
  const found = new Map(
    hierarchies.flatMap((mount) => mount.controllers.map((name) => [name === "io" ? "blkio" : name, mount.version])),
  );
  const rows = CONTROLLERS.map((name) => {
    const version = found.get(name) ?? (v2 !== undefined && (name === "devices" || name === "freezer") ? 2 : undefined);
    if (version !== undefined) return good(`cgroup.${name}`, `cgroup controller ${name}`, `v${version}`);
    const verdict = NEEDED_CONTROLLERS.has(name) ? "missing" : "warn";
    return bad(
      `cgroup.${name}`,
      `cgroup controller ${name}`,
      false,
      verdict,
      "limits of this kind are refused; enable it on the kernel command line or mount it",
    );
  });
  return [
    good("cgroup.mode", "cgroup mode", cgroupMode(hierarchies)),
    ...delegation(facts),
    either(
      v2 !== undefined,
      "cgroup.kill",
      "kill and freeze a whole cgroup (v2)",
      "mount a cgroup2 hierarchy, also beside v1",
      "warn",
    ),
    ...rows,
  ];
}

function isolationFacts(facts: HostFacts): HostFact[] {
  const namespaces = NAMESPACES.map((name) =>
    either(
      existsSync(`/proc/self/ns/${name}`),
      `namespace.${name}`,
      `${name} namespaces`,
      "the kernel was built without them",
    ),
  );
  const lost = ["CAP_SYS_ADMIN", "CAP_NET_ADMIN", "CAP_SYS_RESOURCE"].filter(
    (name) => !facts.boundingCapabilities.includes(name),
  );
  const limit = Number(probe.readLine("/proc/sys/user/max_user_namespaces") ?? 0);
  return [
    ...namespaces,
    either(
      limit > 0,
      "namespace.user_allowed",
      "user namespaces are allowed",
      "sysctl user.max_user_namespaces=15000",
      "warn",
    ),
    lost.length === 0
      ? good("capability.bounding", "capabilities", facts.boundingCapabilities.length)
      : bad(
          "capability.bounding",
          "capabilities",
          lost.map((name) => `no ${name}`),
          "warn",
          "containers cannot get what the host does not have; hard limits cannot be raised",
        ),
    either(ownCapabilities("CapEff").includes("CAP_SYS_ADMIN"), "capability.sys_admin", "CAP_SYS_ADMIN", "run as root"),
  ];
}

function securityFacts(facts: HostFacts): HostFact[] {
  const abi = canLoadFfi() ? probe.landlockAbi() : 0;
  return [
    either(
      canLoadFfi() && probe.hasSeccomp(),
      "seccomp.filter",
      "seccomp filters",
      "the kernel was built without CONFIG_SECCOMP_FILTER",
    ),
    abi > 0
      ? good("landlock.abi", "Landlock", abi)
      : bad("landlock.abi", "Landlock", 0, "warn", "optional: boot with lsm=landlock,…"),
    either(
      facts.apparmor,
      "lsm.apparmor",
      "AppArmor",
      "optional: profiles named in a spec are refused without it",
      "warn",
    ),
    either(facts.selinux, "lsm.selinux", "SELinux", "optional: labels named in a spec are refused without it", "warn"),
  ];
}

function networkFacts(): HostFact[] {
  const forward = probe.readLine("/proc/sys/net/ipv4/ip_forward") === "1";
  return [
    either(
      forward,
      "net.ip_forward",
      "IPv4 forwarding",
      "the first bridge network turns it on, the last to go (lap network prune) puts it back",
      "warn",
    ),
    either(existsSync("/dev/net/tun"), "net.tun", "tun devices", "modprobe tun", "warn"),
    either(existsSync("/dev/fuse"), "dev.fuse", "/dev/fuse", "modprobe fuse", "warn"),
  ];
}

/** `--runtime` looks for these; nothing needs one. */
function otherRuntimeFact(): HostFact {
  const found = ["runc", "crun", "youki"].filter(onPath);
  return good("runtime.others", "other OCI runtimes for --runtime", found.length === 0 ? "none" : found);
}

/** All facts, in the order of printing; plain JSON. Never throws for a missing ability. */
export function doctorFacts(): HostFact[] {
  const facts = hostFacts();
  return [
    ...baseFacts(facts),
    ...filesystemFacts(),
    ...cgroupFacts(facts),
    ...isolationFacts(facts),
    ...securityFacts(facts),
    ...networkFacts(),
    ...networkRuleFacts(),
    otherRuntimeFact(),
  ];
}
