// Docker's objects are structs in Go: printed whole they are their values in the order of the fields, without names; a field that its
// JSON leaves out is there all the same, empty; a few have another name in Go than in JSON. Known here is what people meet.

/** What a field is when it was never set, as it prints: "" a text, [] and map[] lists and maps, <nil> a pointer. */
type Zero = "" | "0" | "false" | "[]" | "map[]" | "<nil>";

interface Struct {
  /** Fields that only this one has. */
  readonly known: readonly string[];
  /** In Go's order. */
  readonly fields: readonly (readonly [string, Zero])[];
}

function struct(known: string, fields: string): Struct {
  const zeros: Readonly<Record<string, Zero>> = { n: "0", b: "false", l: "[]", m: "map[]", p: "<nil>" };
  return {
    known: known.split(" "),
    fields: fields.split(" ").map((field) => {
      const [name = "", zero = ""] = field.split(":");
      return [name, zeros[zero] ?? ""] as const;
    }),
  };
}

/** By the fields that tell them apart; printed whole only where `isWhole`. */
const STRUCTS: readonly Struct[] = [
  struct(
    "EndpointID IPAMConfig",
    "IPAMConfig:p Links:l Aliases:l MacAddress DriverOpts:m GwPriority:n NetworkID EndpointID Gateway IPAddress IPPrefixLen:n IPv6Gateway GlobalIPv6Address GlobalIPv6PrefixLen:n DNSNames:l",
  ),
  struct("HostIp HostPort", "HostIp HostPort"),
  struct("MaximumRetryCount Name", "Name MaximumRetryCount:n"),
  struct("Type Destination RW", "Type Name Source Destination Driver Mode RW:b Propagation"),
  struct(
    "OOMKilled FinishedAt",
    "Status Running:b Paused:b Restarting:b OOMKilled:b Dead:b Pid:n ExitCode:n Error StartedAt FinishedAt Health:p",
  ),
  struct("FailingStreak Log", "Status FailingStreak:n Log:l"),
  struct("mediaType digest size", "mediaType digest size:n urls:l annotations:m data:l platform:p artifactType"),
];

const IPAM_CONFIG = struct("Subnet", "Subnet IPRange Gateway AuxiliaryAddresses:m");
/** Names too common to tell alone: nothing else may be in the object. */
const EXACT: readonly Struct[] = [
  IPAM_CONFIG,
  struct("Type Config", "Type Config:m"),
  struct("Type Layers", "Type Layers:l"),
  struct("Driver Config Options", "Driver Options:m Config:l"),
  struct("Network", "Network"),
];

/** Fields that an object may lack; too many others for printing it whole. */
const SPARSE: readonly Struct[] = [
  struct("HostConfig RestartCount", "SizeRw:p SizeRootFs:p ImageManifestDescriptor:p Node:p"),
  struct(
    "AttachStdin Tty Env",
    "ExposedPorts:m StopSignal StopTimeout:p Healthcheck:p ArgsEscaped:b NetworkDisabled:b MacAddress Shell:l",
  ),
  struct("NetworkMode Binds", "Init:p StorageOpt:m Tmpfs:m Sysctls:m Annotations:m Mounts:l Runtime OomKillDisable:p"),
  struct("Mountpoint Scope", "Status:m UsageData:p ClusterVolume:p"),
  struct(
    "RootFS Architecture",
    "Variant OsVersion Parent Comment Author DockerVersion Container ContainerConfig:p VirtualSize:n",
  ),
];

/** Times that Go keeps as such; most are texts in its objects too. */
const TIMES = new Set(["LastTagTime", "Start", "End"]);

/** Lists and maps that may be null in JSON: nil ones print as empty ones. */
const NIL: Readonly<Record<string, Zero>> = Object.fromEntries([
  ..."Entrypoint Cmd OnBuild Env Shell Binds Dns DnsOptions DnsSearch ExtraHosts GroupAdd Links CapAdd CapDrop VolumesFrom SecurityOpt Devices DeviceRequests DeviceCgroupRules Ulimits MaskedPaths ReadonlyPaths ExecIDs Aliases DNSNames RepoTags RepoDigests Mounts BlkioWeightDevice BlkioDeviceReadBps BlkioDeviceWriteBps BlkioDeviceReadIOps BlkioDeviceWriteIOps SecondaryIPAddresses SecondaryIPv6Addresses Log Config Args"
    .split(" ")
    .map((name) => [name, "[]"] as const),
  ..."Labels Volumes ExposedPorts PortBindings Options Annotations Sysctls StorageOpt DriverOpts Ports Networks Tmpfs Data"
    .split(" ")
    .map((name) => [name, "map[]"] as const),
]);

/** Maps: a key that is not there is no mistake. */
const MAPS = new Set(
  "Labels Volumes ExposedPorts PortBindings Options Annotations Sysctls StorageOpt DriverOpts Ports Networks Tmpfs Data Containers AuxiliaryAddresses Attributes".split(
    " ",
  ),
);

const GO_NAMES: Readonly<Record<string, string>> = {
  ID: "Id",
  HostIP: "HostIp",
  CPUShares: "CpuShares",
  NanoCPUs: "NanoCpus",
  CPUPeriod: "CpuPeriod",
  CPUQuota: "CpuQuota",
  DNS: "Dns",
  DNSOptions: "DnsOptions",
  DNSSearch: "DnsSearch",
  AuxAddress: "AuxiliaryAddresses",
};

/** The name of a field in JSON for its name in Go. */
export function jsonName(name: string): string {
  return GO_NAMES[name] ?? name;
}

/** True for a map of texts to something, by the name of the field that holds it. */
export function isMapField(name: string): boolean {
  return MAPS.has(name);
}

/** How a null prints, by the name of the field that holds it. */
export function nilText(name: string): string {
  return NIL[name] ?? "<nil>";
}

/** What a null is to functions, and to fields behind it. */
export function emptyOf(name: string): unknown {
  const text = nilText(name);
  return text === "[]" ? [] : text === "map[]" ? {} : null;
}

/** True for a moment that Go prints its own way; of the objects with a creation time only networks keep one. */
export function isTime(name: string, root: unknown): boolean {
  return TIMES.has(name) || (name === "Created" && typeof root === "object" && root !== null && "Scope" in root);
}

/** RFC 3339 in UTC -> how Go prints a time. */
export function goTime(text: string): string {
  const [, day, clock, fraction = ""] = /^(\S+)T([\d:]+)(?:\.(\d+))?Z$/.exec(text) ?? [];
  if (day === undefined) return text;
  const digits = fraction.replace(/0+$/, "");
  return `${day} ${clock}${digits === "" ? "" : `.${digits}`} +0000 UTC`;
}

/** The value of a field that JSON left out; undefined where there is none of that name. */
export function zeroOf(object: object, name: string): { readonly value: unknown } | undefined {
  const all = [...STRUCTS, ...SPARSE, IPAM_CONFIG].filter(({ known }) =>
    known.every((each) => Object.hasOwn(object, each)),
  );
  const [, zero] = all.flatMap(({ fields }) => fields).find(([field]) => field === name) ?? [];
  if (zero === undefined) return undefined;
  const values: Readonly<Record<Zero, unknown>> = {
    "": "",
    "0": 0,
    false: false,
    "[]": [],
    "map[]": {},
    "<nil>": null,
  };
  return { value: values[zero] };
}

/** Fields of a struct that prints as one; undefined for what is a map. */
export function structFields(value: object): readonly (readonly [string, string])[] | undefined {
  const names = Object.keys(value);
  const isLike = ({ known }: Struct): boolean => known.every((each) => names.includes(each));
  const isExactly = ({ fields }: Struct): boolean =>
    names.length > 0 && names.every((name) => fields.some(([field]) => field === name));
  const found = STRUCTS.find(isLike) ?? EXACT.find((each) => isLike(each) && isExactly(each));
  return found?.fields;
}

/** Sets in Go are maps to nothing: `map[80/tcp:{}]`, by what their keys look like. */
export function isSetKey(key: string): boolean {
  return /^\d+(?:-\d+)?\/\w+$|^\//.test(key);
}
