// Docker's default runtime spec (moby oci/defaults.go by fact): what a container gets when nobody asks otherwise.
// The engine fills process.args/env/user/cwd, hostname and cgroupsPath, and may replace any part.
import type { DeviceRuleSpec, MountSpec, RuntimeSpec } from "@lapstrake/base";
import { DEFAULT_CAPABILITIES } from "./capabilities.ts";
import { USABLE_DEVICES } from "./default-devices.ts";

const MASKED_PATHS: readonly string[] = [
  "/proc/acpi",
  "/proc/asound",
  "/proc/interrupts",
  "/proc/kcore",
  "/proc/keys",
  "/proc/latency_stats",
  "/proc/sched_debug",
  "/proc/scsi",
  "/proc/timer_list",
  "/proc/timer_stats",
  "/sys/devices/virtual/powercap",
  "/sys/firmware",
];

const READONLY_PATHS: readonly string[] = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

const DEVICE_RULES: readonly DeviceRuleSpec[] = [
  { allow: false, access: "rwm" },
  ...USABLE_DEVICES.map(([major, minor]): DeviceRuleSpec => ({
    allow: true,
    type: "c",
    major,
    ...(minor === undefined ? {} : { minor }),
    access: "rwm",
  })),
  { allow: true, type: "c", access: "m" },
  { allow: true, type: "b", access: "m" },
  { allow: false, type: "c", major: 10, minor: 229, access: "rwm" },
];

const MOUNTS: readonly MountSpec[] = [
  { destination: "/proc", type: "proc", source: "proc", options: ["nosuid", "noexec", "nodev"] },
  {
    destination: "/dev",
    type: "tmpfs",
    source: "tmpfs",
    options: ["nosuid", "strictatime", "mode=755", "size=65536k"],
  },
  {
    destination: "/dev/pts",
    type: "devpts",
    source: "devpts",
    options: ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"],
  },
  { destination: "/sys", type: "sysfs", source: "sysfs", options: ["nosuid", "noexec", "nodev", "ro"] },
  { destination: "/sys/fs/cgroup", type: "cgroup", source: "cgroup", options: ["ro", "nosuid", "noexec", "nodev"] },
  { destination: "/dev/mqueue", type: "mqueue", source: "mqueue", options: ["nosuid", "noexec", "nodev"] },
  {
    destination: "/dev/shm",
    type: "tmpfs",
    source: "shm",
    options: ["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"],
  },
];

/** A fresh spec with Docker's namespaces, mounts, masks, devices and capabilities, running `sh` as root in `/`. */
export function defaultSpec(): RuntimeSpec {
  const caps = DEFAULT_CAPABILITIES;
  return {
    ociVersion: "1.2.0",
    process: {
      cwd: "/",
      args: ["sh"],
      env: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
      user: { uid: 0, gid: 0 },
      capabilities: { bounding: caps, effective: caps, permitted: caps },
      oomScoreAdj: 0,
    },
    root: { path: "rootfs" },
    mounts: MOUNTS,
    linux: {
      namespaces: [
        { type: "mount" },
        { type: "network" },
        { type: "uts" },
        { type: "pid" },
        { type: "ipc" },
        { type: "cgroup" },
      ],
      resources: { devices: DEVICE_RULES },
      maskedPaths: MASKED_PATHS,
      readonlyPaths: READONLY_PATHS,
    },
  };
}
