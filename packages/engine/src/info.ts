// What `docker info` tells: the store, the machine and what it can do, under docker's names and in its order.
import { randomUUID } from "node:crypto";
import { readFileSync, readdirSync, statfsSync } from "node:fs";
import { arch, availableParallelism, hostname, release, totalmem } from "node:os";
import { join } from "node:path";
import { errorCode } from "@lapstrake/base";
import { hostFacts } from "@lapstrake/core";
import { hasJournal } from "./logs/journal.ts";
import type { Engine } from "./engine.ts";
import type { InspectObject } from "./containers/inspect.ts";
import { installedRuntimes } from "./sandbox/other-runtime.ts";
import { storeDriver } from "./sandbox/storage-driver.ts";
import { isRootless } from "./sandbox/rootless.ts";
import { writeFileAtomic } from "./state/atomic.ts";

const ARCHITECTURE: Readonly<Record<string, string>> = { x64: "x86_64", arm64: "aarch64" };

/** The object `docker info -f '{{json .}}'` prints, without ClientInfo. */
export async function engineInfo(engine: Engine, version: string): Promise<InspectObject> {
  const { paths } = engine.context;
  const facts = hostFacts();
  const controls = new Set(facts.cgroups.flatMap(({ controllers }) => controllers));
  const isV2 = facts.cgroupMode === "v2";
  const { store } = await engine.images();
  const system = osRelease();
  return {
    ID: storeId(paths.root),
    ...containerCounts(engine),
    Images: store.list().length,
    ...driverFields(engine),
    Plugins: {
      Volume: ["local"],
      Network: ["bridge", "host", "ipvlan", "macvlan", "null"],
      Authorization: null,
      Log: [...(hasJournal() ? ["journald"] : []), "json-file", "local", "none"],
    },
    MemoryLimit: controls.has("memory"),
    SwapLimit: controls.has("memory"),
    KernelMemory: false,
    KernelMemoryTCP: !isV2 && controls.has("memory"),
    CpuCfsPeriod: controls.has("cpu"),
    CpuCfsQuota: controls.has("cpu"),
    CPUShares: controls.has("cpu"),
    CPUSet: controls.has("cpuset"),
    PidsLimit: controls.has("pids"),
    IPv4Forwarding: fileText("/proc/sys/net/ipv4/ip_forward").trim() === "1",
    Debug: false,
    NFd: entryCount("/proc/self/fd"),
    OomKillDisable: !isV2 && controls.has("memory"),
    NGoroutines: 0,
    SystemTime: new Date().toISOString(),
    LoggingDriver: "json-file",
    CgroupDriver: "cgroupfs",
    CgroupVersion: isV2 ? "2" : "1",
    NEventsListener: 0,
    KernelVersion: release(),
    OperatingSystem: system["PRETTY_NAME"] ?? "unknown",
    OSVersion: system["VERSION_ID"] ?? "",
    OSType: "linux",
    Architecture: ARCHITECTURE[arch()] ?? arch(),
    IndexServerAddress: "https://index.docker.io/v1/",
    RegistryConfig: {
      IndexConfigs: { "docker.io": { Mirrors: [], Name: "docker.io", Official: true, Secure: true } },
      InsecureRegistryCIDRs: ["127.0.0.0/8"],
      Mirrors: [],
    },
    NCPU: availableParallelism(),
    MemTotal: totalmem(),
    GenericResources: null,
    DockerRootDir: paths.root,
    HttpProxy: process.env["HTTP_PROXY"] ?? "",
    HttpsProxy: process.env["HTTPS_PROXY"] ?? "",
    NoProxy: process.env["NO_PROXY"] ?? "",
    Name: hostname(),
    Labels: [],
    ExperimentalBuild: false,
    ServerVersion: version,
    Runtimes: { lapstrake: { path: "lap-runtime" }, ...otherRuntimes(), wasm: { path: "" } },
    DefaultRuntime: "lapstrake",
    Swarm: {
      NodeID: "",
      NodeAddr: "",
      LocalNodeState: "inactive",
      ControlAvailable: false,
      Error: "",
      RemoteManagers: null,
    },
    LiveRestoreEnabled: true,
    Isolation: "",
    InitBinary: "lap-init",
    ContainerdCommit: { ID: "", Expected: "" },
    RuncCommit: { ID: "", Expected: "" },
    InitCommit: { ID: "" },
    SecurityOptions: securityOptions(facts),
    CDISpecDirs: null,
    Warnings: null,
  };
}

function containerCounts(engine: Engine): InspectObject {
  const states = engine.list().map(({ status }) => status.state);
  const count = (wanted: readonly string[]): number => states.filter((state) => wanted.includes(state)).length;
  const [running, paused] = [count(["running", "restarting"]), count(["paused"])];
  return {
    Containers: states.length,
    ContainersRunning: running,
    ContainersPaused: paused,
    ContainersStopped: states.length - running - paused,
  };
}

function securityOptions(facts: ReturnType<typeof hostFacts>): string[] {
  return [
    ...(facts.apparmor ? ["name=apparmor"] : []),
    "name=seccomp,profile=default",
    ...(facts.selinux ? ["name=selinux"] : []),
    ...(isRootless() ? ["name=rootless"] : []),
    ...(facts.cgroupMode === "v2" ? ["name=cgroupns"] : []),
  ];
}

function driverFields({ context: { paths, storageDriver } }: Engine): InspectObject {
  const driver = storeDriver(paths, storageDriver);
  const backing = ["Backing Filesystem", filesystemName(paths.root)];
  if (driver === "vfs") return { Driver: driver, DriverStatus: [backing] };
  const overlay = [
    ["Supports d_type", "true"],
    ["Native Overlay Diff", "true"],
    ["userxattr", String(isRootless())],
  ];
  return { Driver: driver, DriverStatus: [backing, ...overlay] };
}

/** Those that `--runtime` finds by name. */
function otherRuntimes(): InspectObject {
  return Object.fromEntries(installedRuntimes().map(({ name, path }) => [name, { path }]));
}

/** An id that the store keeps. */
function storeId(root: string): string {
  const path = join(root, "id");
  const known = fileText(path).trim();
  if (known !== "") return known;
  const id = randomUUID();
  writeFileAtomic(path, `${id}\n`);
  return id;
}

/** statfs(2) magic numbers of what stores are on. */
const FILESYSTEMS: Readonly<Record<number, string>> = {
  0xef53: "extfs",
  0x58465342: "xfs",
  0x9123683e: "btrfs",
  0x01021994: "tmpfs",
  0x2fc12fc1: "zfs",
  0x794c7630: "overlayfs",
};

function filesystemName(path: string): string {
  return FILESYSTEMS[statfsSync(path).type] ?? "<unknown>";
}

/** os-release(5). */
function osRelease(): Readonly<Record<string, string>> {
  const text = fileText("/etc/os-release");
  return Object.fromEntries(
    [...text.matchAll(/^(\w+)="?([^"\n]*)"?$/gm)].map(([, key = "", value = ""]) => [key, value]),
  );
}

function entryCount(path: string): number {
  try {
    return readdirSync(path).length;
  } catch (error) {
    if (errorCode(error) === "ENOENT") return 0;
    throw error;
  }
}

function fileText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (errorCode(error) === "ENOENT") return "";
    throw error;
  }
}
