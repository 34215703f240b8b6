// ContainerRecord -> RuntimeSpec: the third value of the flow. Pure but for what is passed in.
import { defaultSpec } from "@lapstrake/core";
import type { MountSpec, NamespaceSpec, ResourcesSpec, RuntimeSpec } from "@lapstrake/base";
import type { ContainerRecord } from "../state/record.ts";
import { arrangeMounts, rootPropagation } from "./arrange-mounts.ts";
import { requestCapabilities } from "./capabilities.ts";
import { parseSecurityOptions, seccompSpec } from "./security.ts";
import type { ResolvedUser } from "./users.ts";

const CPU_PERIOD_US = 100_000;

/** What the spec needs besides the record. */
export interface SpecInputs {
  readonly user: ResolvedUser;
  /** Mounts the engine adds: managed files, includes of the host image. */
  readonly mounts: readonly MountSpec[];
  /** What is mounted besides: volumes, folders of the machine, tmpfs. */
  readonly askedMounts: readonly MountSpec[];
  /** A file that holds the network namespace to join; default a new one, or the machine's. */
  readonly netnsPath?: string | undefined;
  /** Where the cgroups of containers live, `/lapstrake`. */
  readonly cgroupParent: string;
}

/** The runtime specification of a Linux container. */
export function containerSpec(record: ContainerRecord, inputs: SpecInputs): RuntimeSpec {
  const { request, process } = record;
  const base = defaultSpec();
  const privileged = request.privileged === true;
  const capabilities = requestCapabilities(request);
  const security = parseSecurityOptions(request.securityOpt ?? []);
  const seccomp = seccompSpec(security.seccomp, capabilities, privileged);
  const defaults = (base.mounts ?? []).map((mount) => adaptDefaultMount(mount, record));
  const sources = { defaults, own: inputs.mounts, asked: inputs.askedMounts };
  const mounts = arrangeMounts(sources, request.readonlyRootfs === true);
  const propagation = rootPropagation(inputs.askedMounts);
  const { maskedPaths, readonlyPaths, ...linux } = base.linux ?? {};
  return {
    ...base,
    hostname: record.hostname,
    ...(request.domainname === undefined ? {} : { domainname: request.domainname }),
    root: { path: "rootfs", readonly: request.readonlyRootfs ?? false },
    process: {
      ...base.process,
      terminal: process.tty,
      cwd: process.cwd,
      env: withHome(process.env, inputs.user.home),
      args: process.args,
      user: inputs.user.spec,
      noNewPrivileges: security.noNewPrivileges,
      ...(security.apparmor === undefined || security.apparmor === "unconfined"
        ? {}
        : { apparmorProfile: security.apparmor }),
      capabilities: {
        bounding: capabilities,
        effective: inputs.user.spec.uid === 0 ? capabilities : [],
        permitted: inputs.user.spec.uid === 0 ? capabilities : [],
        inheritable: [],
        ambient: [],
      },
    },
    mounts,
    linux: {
      ...linux,
      ...(propagation === undefined ? {} : { rootfsPropagation: propagation }),
      ...(seccomp === undefined ? {} : { seccomp }),
      ...(privileged || security.openSystemPaths
        ? {}
        : { maskedPaths: maskedPaths ?? [], readonlyPaths: readonlyPaths ?? [] }),
      namespaces: namespaces(linux.namespaces ?? [], request.network, inputs.netnsPath),
      cgroupsPath: `${inputs.cgroupParent}/${record.id}`,
      resources: { ...linux.resources, ...resources(record) },
    },
  };
}

function namespaces(
  defaults: readonly NamespaceSpec[],
  network: string | undefined,
  netnsPath: string | undefined,
): NamespaceSpec[] {
  const kept = defaults.filter((namespace) => namespace.type !== "network" || network !== "host");
  if (netnsPath === undefined) return kept;
  return kept.map((namespace) => (namespace.type === "network" ? { ...namespace, path: netnsPath } : namespace));
}

function adaptDefaultMount(mount: MountSpec, record: ContainerRecord): MountSpec {
  const { request } = record;
  if (mount.destination === "/dev/shm" && request.shmSizeBytes !== undefined) {
    const kept = (mount.options ?? []).filter((option) => !option.startsWith("size="));
    return { ...mount, options: [...kept, `size=${request.shmSizeBytes}`] };
  }
  const isKernelTree = mount.destination === "/sys" || mount.destination === "/sys/fs/cgroup";
  if (request.privileged === true && isKernelTree) {
    return { ...mount, options: (mount.options ?? []).map((option) => (option === "ro" ? "rw" : option)) };
  }
  return mount;
}

function withHome(env: readonly string[], home: string): string[] {
  return env.some((line) => line.startsWith("HOME=")) ? [...env] : [...env, `HOME=${home}`];
}

function resources(record: ContainerRecord): ResourcesSpec {
  const { memoryBytes, pidsLimit, cpus } = record.request;
  return {
    ...(memoryBytes === undefined ? {} : { memory: { limit: memoryBytes, swap: memoryBytes * 2 } }),
    ...(pidsLimit === undefined ? {} : { pids: { limit: pidsLimit } }),
    ...(cpus === undefined ? {} : { cpu: { period: CPU_PERIOD_US, quota: Math.round(cpus * CPU_PERIOD_US) } }),
  };
}
