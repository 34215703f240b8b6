// OCI runtime-spec v1.3 config.json and state.json as types (config.md, config-linux.md, runtime.md).
// Names are the specification's. Values come from outside: validate before use (core's validateSpec).

export interface RuntimeSpec {
  readonly ociVersion: string;
  readonly process?: ProcessSpec;
  readonly root?: RootSpec;
  readonly hostname?: string;
  readonly domainname?: string;
  readonly mounts?: readonly MountSpec[];
  readonly hooks?: HooksSpec;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly linux?: LinuxSpec;
}

export interface RootSpec {
  readonly path: string;
  readonly readonly?: boolean;
}

export interface ProcessSpec {
  readonly terminal?: boolean;
  readonly consoleSize?: { readonly height: number; readonly width: number };
  readonly cwd: string;
  readonly env?: readonly string[];
  readonly args?: readonly string[];
  readonly user?: UserSpec;
  readonly rlimits?: readonly RlimitSpec[];
  readonly capabilities?: CapabilitiesSpec;
  readonly noNewPrivileges?: boolean;
  readonly oomScoreAdj?: number;
  readonly apparmorProfile?: string;
  readonly selinuxLabel?: string;
  readonly ioPriority?: { readonly class: string; readonly priority?: number };
  readonly scheduler?: SchedulerSpec;
  readonly execCPUAffinity?: { readonly initial?: string; readonly final?: string };
}

export interface UserSpec {
  readonly uid?: number;
  readonly gid?: number;
  readonly umask?: number;
  readonly additionalGids?: readonly number[];
}

/** type is RLIMIT_NOFILE and so on; hard and soft in the units of getrlimit(2). */
export interface RlimitSpec {
  readonly type: string;
  readonly hard: number;
  readonly soft: number;
}

export interface CapabilitiesSpec {
  readonly bounding?: readonly string[];
  readonly effective?: readonly string[];
  readonly permitted?: readonly string[];
  readonly inheritable?: readonly string[];
  readonly ambient?: readonly string[];
}

export interface SchedulerSpec {
  readonly policy: string;
  readonly nice?: number;
  readonly priority?: number;
  readonly flags?: readonly string[];
  readonly runtime?: number;
  readonly deadline?: number;
  readonly period?: number;
}

export interface MountSpec {
  readonly destination: string;
  readonly source?: string;
  readonly type?: string;
  readonly options?: readonly string[];
  readonly uidMappings?: readonly IdMapSpec[];
  readonly gidMappings?: readonly IdMapSpec[];
  /**
   * Ours, not the specification's: a directory above the source of a bind mount. No part of the source after it may be a
   * symbolic link, however it is changed meanwhile. */
  readonly beneath?: string;
}

export interface HookSpec {
  readonly path: string;
  readonly args?: readonly string[];
  readonly env?: readonly string[];
  /** Seconds. */
  readonly timeout?: number;
}

export interface HooksSpec {
  readonly prestart?: readonly HookSpec[];
  readonly createRuntime?: readonly HookSpec[];
  readonly createContainer?: readonly HookSpec[];
  readonly startContainer?: readonly HookSpec[];
  readonly poststart?: readonly HookSpec[];
  readonly poststop?: readonly HookSpec[];
}

export interface IdMapSpec {
  readonly containerID: number;
  readonly hostID: number;
  readonly size: number;
}

export interface NamespaceSpec {
  readonly type: "pid" | "network" | "mount" | "ipc" | "uts" | "user" | "cgroup" | "time";
  readonly path?: string;
}

export interface DeviceSpec {
  readonly type: "c" | "b" | "u" | "p";
  readonly path: string;
  readonly major?: number;
  readonly minor?: number;
  readonly fileMode?: number;
  readonly uid?: number;
  readonly gid?: number;
}

export interface LinuxSpec {
  readonly namespaces?: readonly NamespaceSpec[];
  readonly uidMappings?: readonly IdMapSpec[];
  readonly gidMappings?: readonly IdMapSpec[];
  readonly timeOffsets?: Readonly<Record<string, { readonly secs?: number; readonly nanosecs?: number }>>;
  readonly devices?: readonly DeviceSpec[];
  readonly cgroupsPath?: string;
  readonly resources?: ResourcesSpec;
  readonly sysctl?: Readonly<Record<string, string>>;
  readonly seccomp?: SeccompSpec;
  readonly rootfsPropagation?: string;
  readonly maskedPaths?: readonly string[];
  readonly readonlyPaths?: readonly string[];
  readonly mountLabel?: string;
  readonly personality?: { readonly domain: string; readonly flags?: readonly string[] };
  readonly intelRdt?: Readonly<Record<string, unknown>>;
  readonly memoryPolicy?: { readonly mode: string; readonly nodes?: string; readonly flags?: readonly string[] };
  readonly netDevices?: Readonly<Record<string, { readonly name?: string }>>;
}

/** config-linux.md "control groups"; sizes in bytes, times in microseconds. */
export interface ResourcesSpec {
  readonly devices?: readonly DeviceRuleSpec[];
  readonly memory?: {
    readonly limit?: number;
    readonly reservation?: number;
    readonly swap?: number;
    readonly kernel?: number;
    readonly kernelTCP?: number;
    readonly swappiness?: number;
    readonly disableOOMKiller?: boolean;
    readonly useHierarchy?: boolean;
    readonly checkBeforeUpdate?: boolean;
  };
  readonly cpu?: {
    readonly shares?: number;
    readonly quota?: number;
    readonly burst?: number;
    readonly period?: number;
    readonly realtimeRuntime?: number;
    readonly realtimePeriod?: number;
    readonly cpus?: string;
    readonly mems?: string;
    readonly idle?: number;
  };
  readonly pids?: { readonly limit: number };
  readonly blockIO?: {
    readonly weight?: number;
    readonly leafWeight?: number;
    readonly weightDevice?: readonly Readonly<{ major: number; minor: number; weight?: number; leafWeight?: number }>[];
    readonly throttleReadBpsDevice?: readonly ThrottleSpec[];
    readonly throttleWriteBpsDevice?: readonly ThrottleSpec[];
    readonly throttleReadIOPSDevice?: readonly ThrottleSpec[];
    readonly throttleWriteIOPSDevice?: readonly ThrottleSpec[];
  };
  readonly hugepageLimits?: readonly { readonly pageSize: string; readonly limit: number }[];
  readonly network?: {
    readonly classID?: number;
    readonly priorities?: readonly { readonly name: string; readonly priority: number }[];
  };
  readonly rdma?: Readonly<Record<string, { readonly hcaHandles?: number; readonly hcaObjects?: number }>>;
  readonly unified?: Readonly<Record<string, string>>;
}

export interface ThrottleSpec {
  readonly major: number;
  readonly minor: number;
  readonly rate: number;
}

export interface DeviceRuleSpec {
  readonly allow: boolean;
  readonly type?: string;
  readonly major?: number;
  readonly minor?: number;
  readonly access?: string;
}

export interface SeccompSpec {
  readonly defaultAction: string;
  readonly defaultErrnoRet?: number;
  readonly architectures?: readonly string[];
  readonly flags?: readonly string[];
  readonly listenerPath?: string;
  readonly listenerMetadata?: string;
  readonly syscalls?: readonly {
    readonly names: readonly string[];
    readonly action: string;
    readonly errnoRet?: number;
    readonly args?: readonly {
      readonly index: number;
      readonly value: number | bigint;
      readonly valueTwo?: number | bigint;
      readonly op: string;
    }[];
  }[];
}

/** runtime.md "state". */
export interface RuntimeState {
  readonly ociVersion: string;
  readonly id: string;
  readonly status: "creating" | "created" | "running" | "stopped" | "paused";
  readonly pid?: number;
  readonly bundle: string;
  readonly annotations?: Readonly<Record<string, string>>;
}
