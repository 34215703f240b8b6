// A container as docker's inspect shows it: field names, order and zero values are an interface that scripts read.
import { DEFAULT_STOP_SIGNAL, signalName } from "./signals.ts";
import { defaultSpec } from "@lapstrake/core";
import { formatTimestamp, type Timespec } from "@lapstrake/base";
import type { Engine } from "../engine.ts";
import type { PortBinding } from "../network/port-spec.ts";
import { lowerDirs } from "../sandbox/rootfs.ts";
import { writablePlace } from "../sandbox/sized-upper.ts";
import type { ContainerRecord } from "../state/record.ts";
import { bindTexts, mountObjects, mountRequests, volumeTargets } from "../volumes/show-mounts.ts";
import { readRestart } from "../restart/state.ts";
import { healthObject } from "../health/show.ts";
import type { CreateRequest } from "./request.ts";
import { containerSizeBytes } from "./size.ts";
import { limitFields } from "./inspect-limits.ts";
import type { ContainerStatus } from "./status.ts";
import { join } from "node:path";

/** Plain JSON in Docker's order. */
export type InspectObject = Readonly<Record<string, unknown>>;

const ZERO_TIME = "0001-01-01T00:00:00Z";
const DEFAULT_SHM_BYTES = 64 * 1024 * 1024;

/** The object `docker inspect CONTAINER` prints. */
export async function inspectContainer(
  engine: Engine,
  record: ContainerRecord,
  options: { readonly sized?: boolean } = {},
): Promise<InspectObject> {
  const status = engine.status(record);
  const dir = engine.dir(record);
  const { args } = record.process;
  return {
    Id: record.id,
    Created: record.createdAt,
    Path: args[0] ?? "",
    Args: args.slice(1),
    State: { ...stateObject(status), ...(await guestError(dir, record, status)), ...healthObject(dir, record, status) },
    Image: record.image.id ?? record.image.name,
    ResolvConfPath: join(dir, "resolv.conf"),
    HostnamePath: join(dir, "hostname"),
    HostsPath: join(dir, "hosts"),
    LogPath: (record.request.log?.driver ?? "json-file") === "json-file" ? engine.logPath(record) : "",
    Name: `/${record.name}`,
    RestartCount: readRestart(dir).count,
    Driver: record.kind === "wasm" ? "memory" : (record.storage ?? "overlay2"),
    Platform: record.kind === "wasm" ? "wasip1" : "linux",
    MountLabel: "",
    ProcessLabel: "",
    AppArmorProfile: "",
    ExecIDs: null,
    HostConfig: hostConfig(record),
    GraphDriver: graphDriver(engine, record, dir),
    ...(options.sized === true ? await sizeFields(engine, record) : {}),
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

/** Which limit ended a guest, or how it broke. */
async function guestError(
  dir: string,
  { kind }: ContainerRecord,
  { state, error, exitCode }: ContainerStatus,
): Promise<InspectObject> {
  if (kind !== "wasm" || state !== "exited" || error !== "" || exitCode === 0) return {};
  return { Error: (await import("../sandbox/wasm-end.ts")).endText(dir) };
}

function restartObject({ restart }: CreateRequest): InspectObject {
  return { Name: restart?.name ?? "no", MaximumRetryCount: restart?.maximumRetryCount ?? 0 };
}

function orNull<T>(list: readonly T[] | undefined): readonly T[] | null {
  return list === undefined || list.length === 0 ? null : list;
}

function hostConfig({ request, autoRemove, runtime, kind }: ContainerRecord): InspectObject {
  const linux = defaultSpec().linux;
  return {
    Binds: bindTexts(request),
    ContainerIDFile: "",
    LogConfig: { Type: request.log?.driver ?? "json-file", Config: request.log?.options ?? {} },
    NetworkMode: request.network ?? "default",
    PortBindings: portBindings(request.ports ?? []),
    RestartPolicy: restartObject(request),
    AutoRemove: autoRemove,
    VolumeDriver: "",
    VolumesFrom: orNull(request.volumesFrom),
    CapAdd: orNull(request.capAdd),
    CapDrop: orNull(request.capDrop),
    CgroupnsMode: request.cgroupns ?? "private",
    Dns: request.dns ?? [],
    DnsOptions: request.dnsOptions ?? [],
    DnsSearch: request.dnsSearch ?? [],
    ExtraHosts: orNull(request.extraHosts),
    GroupAdd: orNull(request.groupAdd),
    IpcMode: request.ipc ?? "private",
    Cgroup: "",
    Links: null,
    OomScoreAdj: request.oomScoreAdj ?? 0,
    PidMode: request.pid ?? "",
    Privileged: request.privileged ?? false,
    PublishAllPorts: request.publishAll ?? false,
    ReadonlyRootfs: request.readonlyRootfs ?? false,
    SecurityOpt: orNull(request.securityOpt),
    ...mountRequests(request),
    ...(request.storageOptions === undefined ? {} : { StorageOpt: request.storageOptions }),
    ...(request.tmpfs === undefined ? {} : { Tmpfs: request.tmpfs }),
    UTSMode: request.uts ?? "",
    UsernsMode: "",
    ...(request.sysctls === undefined ? {} : { Sysctls: request.sysctls }),
    ...(request.annotations === undefined ? {} : { Annotations: request.annotations }),
    ShmSize: request.shmSizeBytes ?? DEFAULT_SHM_BYTES,
    Runtime: runtime?.name ?? (kind === "wasm" ? "wasm" : "lapstrake"),
    ConsoleSize: [0, 0],
    Isolation: "",
    ...limitFields(request),
    MaskedPaths: request.privileged === true ? null : (linux?.maskedPaths ?? []),
    ReadonlyPaths: request.privileged === true ? null : (linux?.readonlyPaths ?? []),
  };
}

/** `SizeRw`, what it wrote, and `SizeRootFs`, that with its image. */
async function sizeFields(engine: Engine, record: ContainerRecord): Promise<InspectObject> {
  const own = await containerSizeBytes(engine, record);
  const { id } = record.image;
  const image = id === undefined ? 0 : (await engine.images()).store.list().find((each) => each.id === id)?.size;
  return { SizeRw: own, SizeRootFs: own + (image ?? 0) };
}

function graphDriver(engine: Engine, record: ContainerRecord, dir: string): InspectObject {
  if (record.kind === "wasm") return { Data: null, Name: "memory" };
  if (record.storage === "vfs") return { Data: null, Name: "vfs" };
  const lower = lowerDirs(engine.context.paths, record).join(":");
  const own = writablePlace(dir, record);
  return { Data: { LowerDir: lower, UpperDir: join(own, "upper"), WorkDir: join(own, "work") }, Name: "overlay2" };
}

function configObject(record: ContainerRecord): InspectObject {
  const { request, process, image } = record;
  const labels = { ...record.image.labels, ...request.labels };
  return {
    Hostname: record.hostname,
    Domainname: request.domainname ?? "",
    User: process.user,
    AttachStdin: request.attach?.includes("stdin") ?? false,
    AttachStdout: request.attach?.includes("stdout") ?? false,
    AttachStderr: request.attach?.includes("stderr") ?? false,
    ...exposedObject(record),
    Tty: process.tty,
    OpenStdin: process.openStdin,
    StdinOnce: process.openStdin && request.attach?.includes("stdin") === true,
    Env: orNull(ownEnv(record)),
    Cmd: orNull(request.command) ?? (request.entrypoint === undefined ? orNull(image.cmd) : null),
    ...(record.health === undefined ? {} : { Healthcheck: record.health }),
    Image: record.image.name,
    Volumes: volumeTargets(record),
    WorkingDir: process.cwd === "/" ? "" : process.cwd,
    Entrypoint: orNull(request.entrypoint ?? image.entrypoint),
    OnBuild: null,
    Labels: labels,
    ...(process.stopSignal === DEFAULT_STOP_SIGNAL ? {} : { StopSignal: signalName(process.stopSignal) }),
  };
}

/** What image and request say, without what every container gets. */
function ownEnv({ process, image, request, hostname }: ContainerRecord): readonly string[] {
  const given = [...(image.env ?? []), ...(request.env ?? [])].map(nameOf);
  const added = ["PATH", `HOSTNAME=${hostname}`, "TERM=xterm"];
  return process.env.filter(
    (line) => given.includes(nameOf(line)) || !(added.includes(line) || added.includes(nameOf(line))),
  );
}

function nameOf(line: string): string {
  return line.split("=", 1)[0]!;
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
