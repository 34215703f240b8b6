// A container as docker's inspect shows it: field names, order and zero values are an interface that scripts read.
import { DEFAULT_STOP_SIGNAL, signalName } from "./signals.ts";
import { defaultSpec } from "@lapstrake/core";
import { formatTimestamp, type Timespec } from "@lapstrake/base";
import type { Engine } from "../engine.ts";
import type { PortBinding } from "../network/port-spec.ts";
import { lowerDirs } from "../sandbox/rootfs.ts";
import type { ContainerRecord } from "../state/record.ts";
import { bindTexts, mountObjects, mountRequests, volumeTargets } from "../volumes/show-mounts.ts";
import { readRestart } from "../restart/state.ts";
import { healthObject } from "../health/show.ts";
import type { CreateRequest } from "./request.ts";
import type { ContainerStatus } from "./status.ts";
import { join } from "node:path";

/** Plain JSON in Docker's order. */
export type InspectObject = Readonly<Record<string, unknown>>;

const ZERO_TIME = "0001-01-01T00:00:00Z";
const DEFAULT_SHM_BYTES = 64 * 1024 * 1024;
const NANO = 1e9;

/** The object `docker inspect CONTAINER` prints. */
export async function inspectContainer(engine: Engine, record: ContainerRecord): Promise<InspectObject> {
  const status = engine.status(record);
  const dir = engine.dir(record);
  const { args } = record.process;
  return {
    Id: record.id,
    Created: record.createdAt,
    Path: args[0] ?? "",
    Args: args.slice(1),
    State: { ...stateObject(status), ...healthObject(dir, record, status) },
    Image: record.image.id ?? record.image.name,
    ResolvConfPath: join(dir, "resolv.conf"),
    HostnamePath: join(dir, "hostname"),
    HostsPath: join(dir, "hosts"),
    LogPath: engine.logPath(record),
    Name: `/${record.name}`,
    RestartCount: readRestart(dir).count,
    Driver: record.kind === "wasm" ? "memory" : "overlay2",
    Platform: record.kind === "wasm" ? "wasip1" : "linux",
    MountLabel: "",
    ProcessLabel: "",
    AppArmorProfile: "",
    ExecIDs: null,
    HostConfig: hostConfig(record),
    GraphDriver: graphDriver(engine, record, dir),
    Mounts: mountObjects(engine.context.paths, record),
    Config: configObject(record),
    NetworkSettings: await networkSettings(engine, record),
  };
}

function timeText(time: Timespec | undefined): string {
  return time === undefined ? ZERO_TIME : formatTimestamp(time.sec, time.nsec);
}

function stateObject(status: ContainerStatus): InspectObject {
  const { state } = status;
  return {
    Status: state,
    Running: state === "running" || state === "paused" || state === "restarting",
    Paused: state === "paused",
    Restarting: state === "restarting",
    OOMKilled: status.oomKilled,
    Dead: state === "dead",
    Pid: status.pid,
    ExitCode: status.exitCode,
    Error: status.error,
    StartedAt: timeText(status.startedAt),
    FinishedAt: timeText(state === "exited" || state === "restarting" ? status.finishedAt : undefined),
    ...(status.supervisorLost ? { SupervisorLost: true } : {}),
  };
}

function restartObject({ restart }: CreateRequest): InspectObject {
  return { Name: restart?.name ?? "no", MaximumRetryCount: restart?.maximumRetryCount ?? 0 };
}

function orNull<T>(list: readonly T[] | undefined): readonly T[] | null {
  return list === undefined || list.length === 0 ? null : list;
}

function hostConfig({ request, autoRemove }: ContainerRecord): InspectObject {
  const memory = request.memoryBytes ?? 0;
  const linux = defaultSpec().linux;
  return {
    Binds: bindTexts(request),
    ContainerIDFile: "",
    LogConfig: { Type: "json-file", Config: {} },
    NetworkMode: request.network ?? "default",
    PortBindings: portBindings(request.ports ?? []),
    RestartPolicy: restartObject(request),
    AutoRemove: autoRemove,
    VolumeDriver: "",
    VolumesFrom: orNull(request.volumesFrom),
    CapAdd: orNull(request.capAdd),
    CapDrop: orNull(request.capDrop),
    CgroupnsMode: "private",
    Dns: request.dns ?? [],
    DnsOptions: request.dnsOptions ?? [],
    DnsSearch: request.dnsSearch ?? [],
    ExtraHosts: orNull(request.extraHosts),
    GroupAdd: orNull(request.groupAdd),
    IpcMode: "private",
    Cgroup: "",
    Links: null,
    OomScoreAdj: 0,
    PidMode: "",
    Privileged: request.privileged ?? false,
    PublishAllPorts: request.publishAll ?? false,
    ReadonlyRootfs: request.readonlyRootfs ?? false,
    SecurityOpt: orNull(request.securityOpt),
    ...mountRequests(request),
    ...(request.tmpfs === undefined ? {} : { Tmpfs: request.tmpfs }),
    UTSMode: "",
    UsernsMode: "",
    ShmSize: request.shmSizeBytes ?? DEFAULT_SHM_BYTES,
    Runtime: "lapstrake",
    ConsoleSize: [0, 0],
    Isolation: "",
    CpuShares: 0,
    Memory: memory,
    NanoCpus: Math.round((request.cpus ?? 0) * NANO),
    CgroupParent: "",
    BlkioWeight: 0,
    BlkioWeightDevice: [],
    BlkioDeviceReadBps: [],
    BlkioDeviceWriteBps: [],
    BlkioDeviceReadIOps: [],
    BlkioDeviceWriteIOps: [],
    CpuPeriod: 0,
    CpuQuota: 0,
    CpuRealtimePeriod: 0,
    CpuRealtimeRuntime: 0,
    CpusetCpus: "",
    CpusetMems: "",
    Devices: [],
    DeviceCgroupRules: null,
    DeviceRequests: null,
    MemoryReservation: 0,
    MemorySwap: memory * 2,
    MemorySwappiness: null,
    OomKillDisable: false,
    PidsLimit: request.pidsLimit ?? null,
    Ulimits: [],
    CpuCount: 0,
    CpuPercent: 0,
    IOMaximumIOps: 0,
    IOMaximumBandwidth: 0,
    MaskedPaths: request.privileged === true ? null : (linux?.maskedPaths ?? []),
    ReadonlyPaths: request.privileged === true ? null : (linux?.readonlyPaths ?? []),
  };
}

function graphDriver(engine: Engine, record: ContainerRecord, dir: string): InspectObject {
  if (record.kind === "wasm") return { Data: null, Name: "memory" };
  const lower = lowerDirs(engine.context.paths, record).join(":");
  return { Data: { LowerDir: lower, UpperDir: join(dir, "upper"), WorkDir: join(dir, "work") }, Name: "overlay2" };
}

function configObject(record: ContainerRecord): InspectObject {
  const { request, process } = record;
  const labels = { ...record.image.labels, ...request.labels };
  return {
    Hostname: record.hostname,
    Domainname: request.domainname ?? "",
    User: process.user,
    AttachStdin: false,
    AttachStdout: false,
    AttachStderr: false,
    ...exposedObject(record),
    Tty: process.tty,
    OpenStdin: process.openStdin,
    StdinOnce: false,
    Env: process.env,
    Cmd: orNull(request.command),
    Image: record.image.name,
    Volumes: volumeTargets(record),
    WorkingDir: process.cwd === "/" ? "" : process.cwd,
    Entrypoint: orNull(request.entrypoint),
    OnBuild: null,
    Labels: labels,
    ...(record.health === undefined ? {} : { Healthcheck: record.health }),
    ...(process.stopSignal === DEFAULT_STOP_SIGNAL ? {} : { StopSignal: signalName(process.stopSignal) }),
  };
}

async function networkSettings(engine: Engine, record: ContainerRecord): Promise<InspectObject> {
  return (await import("../network/show-settings.ts")).networkSettings(engine, record);
}

function portBindings(ports: readonly PortBinding[]): InspectObject {
  const out: Record<string, InspectObject[]> = {};
  for (const { containerPort, protocol, hostIp, hostPorts } of ports) {
    const [first, last] = hostPorts;
    const HostPort = first === 0 ? "" : first === last ? String(first) : `${first}-${last}`;
    (out[`${containerPort}/${protocol}`] ??= []).push({ HostIp: hostIp, HostPort });
  }
  return out;
}

function exposedObject({ image, request }: ContainerRecord): InspectObject {
  const published = (request.ports ?? []).map(({ containerPort, protocol }) => `${containerPort}/${protocol}`);
  const names = [...(image.exposedPorts ?? []), ...(request.exposedPorts ?? []), ...published];
  return names.length === 0 ? {} : { ExposedPorts: Object.fromEntries(names.map((name) => [name, {}])) };
}
