// The parts of a CreateRequest about resources, devices and shared namespaces. Sizes in bytes, times in microseconds; what is absent is
// not limited or is the container's own.

/** A weight or rate for one block device. */
export interface DeviceNumber {
  /** Path of a block device of this machine. */
  readonly path: string;
  readonly value: number;
}

/** A device of the machine in the container. */
export interface DeviceRequest {
  /** Device node, or a folder of them, on this machine. */
  readonly source: string;
  readonly target: string;
  /** Of `r`, `w`, `m`. */
  readonly permissions: string;
}

/** One resource limit: getrlimit(2). */
export interface UlimitRequest {
  /** Lower case, without `RLIMIT_`. */
  readonly name: string;
  /** -1 is unlimited. */
  readonly soft: number;
  readonly hard: number;
}

/** Limits of a container, as docker's flags name them. */
export interface LimitRequest {
  readonly memoryBytes?: number;
  /** Memory and swap together; -1 is unlimited swap; default twice the memory. */
  readonly memorySwapBytes?: number;
  readonly memoryReservationBytes?: number;
  /** 0 to 100. */
  readonly memorySwappiness?: number;
  readonly oomKillDisable?: boolean;
  /** -1000 to 1000. */
  readonly oomScoreAdj?: number;
  readonly pidsLimit?: number;
  readonly cpus?: number;
  readonly cpuShares?: number;
  readonly cpuPeriodUs?: number;
  readonly cpuQuotaUs?: number;
  readonly cpuRtPeriodUs?: number;
  readonly cpuRtRuntimeUs?: number;
  /** `0-2,4`. */
  readonly cpusetCpus?: string;
  readonly cpusetMems?: string;
  /** 10 to 1000. */
  readonly blkioWeight?: number;
  readonly blkioWeightDevices?: readonly DeviceNumber[];
  readonly deviceReadBps?: readonly DeviceNumber[];
  readonly deviceWriteBps?: readonly DeviceNumber[];
  readonly deviceReadIops?: readonly DeviceNumber[];
  readonly deviceWriteIops?: readonly DeviceNumber[];
  readonly ulimits?: readonly UlimitRequest[];
}

/** Devices, kernel parameters and namespaces that are not the container's own. */
export interface SharingRequest {
  readonly devices?: readonly DeviceRequest[];
  /** `c 1:3 rwm`. */
  readonly deviceCgroupRules?: readonly string[];
  readonly sysctls?: Readonly<Record<string, string>>;
  /** `private`, `shareable`, `host`, `none` or `container:NAME`. */
  readonly ipc?: string;
  /** `host` or `container:NAME`; absent for an own one. */
  readonly pid?: string;
  /** `host`. */
  readonly uts?: string;
  /** `host` or `private`. */
  readonly cgroupns?: string;
  /** Absolute path of the cgroup above the container's. */
  readonly cgroupParent?: string;
  /** Passed to the runtime. */
  readonly annotations?: Readonly<Record<string, string>>;
}
