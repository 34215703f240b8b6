// config.json as it comes from outside: every field core reads is checked for its type before anything else sees it.
// A small schema language instead of a library: a check is a function of a value and the field's name.
import { LapError, type RuntimeSpec } from "@lapstrake/base";

type Check = (value: unknown, field: string) => void;

function invalid(field: string, why: string): LapError {
  return new LapError("invalidArgument", "ERR_LAP_SPEC_INVALID", `${field}: ${why}`, { detail: { field } });
}

const text: Check = (value, field) => {
  if (typeof value !== "string") throw invalid(field, "is not a string");
  if (value.includes("\0")) throw invalid(field, "contains a NUL byte");
};

const bool: Check = (value, field) => {
  if (typeof value !== "boolean") throw invalid(field, "is not true or false");
};

/** Any whole number a JSON number can hold; 2^64 - 1 arrives rounded. */
const integer: Check = (value, field) => {
  if (typeof value !== "number" || !Number.isInteger(value)) throw invalid(field, "is not a whole number");
};

function range(min: number, max: number): Check {
  return (value, field) => {
    integer(value, field);
    if ((value as number) < min || (value as number) > max)
      throw invalid(field, `${String(value)} is not within ${min} to ${max}`);
  };
}

function list(item: Check): Check {
  return (value, field) => {
    if (!Array.isArray(value)) throw invalid(field, "is not a list");
    value.forEach((one: unknown, index) => item(one, `${field}[${index}]`));
  };
}

function record(item: Check): Check {
  return (value, field) => {
    for (const [key, one] of Object.entries(asObject(value, field))) item(one, `${field}.${key}`);
  };
}

function oneOf(...allowed: readonly string[]): Check {
  return (value, field) => {
    if (!allowed.includes(value as string))
      throw invalid(field, `${JSON.stringify(value)?.slice(0, 100)} is not one of ${allowed.join(", ")}`);
  };
}

function asObject(value: unknown, field: string): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw invalid(field, "is not an object");
  return value as Record<string, unknown>;
}

/** Known fields are checked when present (null counts as absent, as in Go); a name ending in "!" is required. */
function object(fields: Readonly<Record<string, Check>>): Check {
  return (value, field) => {
    const given = asObject(value, field);
    for (const [name, check] of Object.entries(fields)) {
      const key = name.replace(/!$/, "");
      const one = given[key];
      const path = field === "" ? key : `${field}.${key}`;
      if (one !== undefined && one !== null) check(one, path);
      else if (name.endsWith("!")) throw invalid(path, "is missing");
    }
  };
}

const id = range(0, 2 ** 32 - 2);
const absolute: Check = (value, field) => {
  text(value, field);
  if (!(value as string).startsWith("/")) throw invalid(field, `"${String(value)}" is not absolute`);
};
/** Go writes a path that is not there as "". */
const namespacePath: Check = (value, field) => (value === "" ? undefined : absolute(value, field));
const envEntry: Check = (value, field) => {
  text(value, field);
  if (!(value as string).includes("=")) throw invalid(field, `"${String(value)}" has no "="`);
};
const idMaps = list(object({ "containerID!": id, "hostID!": id, "size!": range(0, 2 ** 32 - 1) }));
const hook = object({ "path!": absolute, args: list(text), env: list(envEntry), timeout: range(1, 2 ** 31) });
const throttle = list(object({ "major!": integer, "minor!": integer, "rate!": range(0, 2 ** 64) }));
const capabilities = list(text);

const resources = object({
  devices: list(object({ "allow!": bool, type: oneOf("a", "b", "c"), major: integer, minor: integer, access: text })),
  memory: object({
    limit: integer,
    reservation: integer,
    swap: integer,
    kernel: integer,
    kernelTCP: integer,
    swappiness: range(0, 200),
    disableOOMKiller: bool,
    useHierarchy: bool,
    checkBeforeUpdate: bool,
  }),
  cpu: object({
    shares: range(0, 2 ** 64),
    quota: integer,
    burst: range(0, 2 ** 63),
    period: range(0, 2 ** 63),
    realtimeRuntime: integer,
    realtimePeriod: range(0, 2 ** 63),
    cpus: text,
    mems: text,
    idle: integer,
  }),
  pids: object({ "limit!": integer }),
  blockIO: object({
    weight: range(0, 1000),
    leafWeight: range(0, 1000),
    weightDevice: list(
      object({ "major!": integer, "minor!": integer, weight: range(0, 1000), leafWeight: range(0, 1000) }),
    ),
    throttleReadBpsDevice: throttle,
    throttleWriteBpsDevice: throttle,
    throttleReadIOPSDevice: throttle,
    throttleWriteIOPSDevice: throttle,
  }),
  hugepageLimits: list(object({ "pageSize!": text, "limit!": range(0, 2 ** 64) })),
  network: object({ classID: id, priorities: list(object({ "name!": text, "priority!": integer })) }),
  rdma: record(object({ hcaHandles: id, hcaObjects: id })),
  unified: record(text),
});

const seccomp = object({
  "defaultAction!": text,
  defaultErrnoRet: range(0, 4095),
  architectures: list(text),
  flags: list(text),
  listenerPath: absolute,
  listenerMetadata: text,
  syscalls: list(
    object({
      "names!": list(text),
      "action!": text,
      errnoRet: range(0, 4095),
      args: list(object({ "index!": range(0, 5), "value!": integer, valueTwo: integer, "op!": text })),
    }),
  ),
});

const linux = object({
  namespaces: list(
    object({ "type!": oneOf("pid", "network", "mount", "ipc", "uts", "user", "cgroup", "time"), path: namespacePath }),
  ),
  uidMappings: idMaps,
  gidMappings: idMaps,
  timeOffsets: record(object({ secs: integer, nanosecs: range(0, 999_999_999) })),
  devices: list(
    object({
      "type!": oneOf("c", "b", "u", "p"),
      "path!": absolute,
      major: integer,
      minor: integer,
      fileMode: range(0, 0o777_777),
      uid: id,
      gid: id,
    }),
  ),
  cgroupsPath: text,
  resources,
  sysctl: record(text),
  seccomp,
  rootfsPropagation: text,
  maskedPaths: list(absolute),
  readonlyPaths: list(absolute),
  mountLabel: text,
  personality: object({ "domain!": oneOf("LINUX", "LINUX32"), flags: list(text) }),
  memoryPolicy: object({ "mode!": text, nodes: text, flags: list(text) }),
  netDevices: record(object({ name: text })),
});

/** A process block alone, as `exec --process` brings it. */
const process = object({
  terminal: bool,
  consoleSize: object({ "height!": range(0, 65_535), "width!": range(0, 65_535) }),
  "cwd!": absolute,
  env: list(envEntry),
  args: list(text),
  user: object({ uid: id, gid: id, umask: range(0, 0o777), additionalGids: list(id) }),
  rlimits: list(object({ "type!": text, "hard!": range(0, 2 ** 64), "soft!": range(0, 2 ** 64) })),
  capabilities: object({
    bounding: capabilities,
    effective: capabilities,
    permitted: capabilities,
    inheritable: capabilities,
    ambient: capabilities,
  }),
  noNewPrivileges: bool,
  oomScoreAdj: range(-1000, 1000),
  apparmorProfile: text,
  selinuxLabel: text,
  execCPUAffinity: object({ initial: text, final: text }),
  ioPriority: object({
    "class!": oneOf("IOPRIO_CLASS_RT", "IOPRIO_CLASS_BE", "IOPRIO_CLASS_IDLE"),
    priority: range(0, 7),
  }),
  scheduler: object({
    "policy!": text,
    nice: range(-20, 19),
    priority: integer,
    flags: list(text),
    runtime: integer,
    deadline: integer,
    period: integer,
  }),
});

const spec = object({
  "ociVersion!": text,
  process,
  root: object({ "path!": text, readonly: bool }),
  hostname: text,
  domainname: text,
  mounts: list(
    object({
      "destination!": text,
      source: text,
      type: text,
      options: list(text),
      uidMappings: idMaps,
      gidMappings: idMaps,
    }),
  ),
  hooks: object({
    prestart: list(hook),
    createRuntime: list(hook),
    createContainer: list(hook),
    startContainer: list(hook),
    poststart: list(hook),
    poststop: list(hook),
  }),
  annotations: record(text),
  linux,
});

/** Checks a parsed config.json; throws `ERR_LAP_SPEC_INVALID` with the field's name. */
export function validateSpec(value: unknown): RuntimeSpec {
  spec(value, "");
  const { ociVersion } = value as RuntimeSpec;
  if (!/^1\.\d+\.\d+(-.*)?$/.test(ociVersion)) throw invalid("ociVersion", `unsupported version "${ociVersion}"`);
  return withoutNulls(value) as RuntimeSpec;
}

/** Checks a process block. */
export function validateProcess(value: unknown): NonNullable<RuntimeSpec["process"]> {
  process(value, "process");
  return withoutNulls(value) as NonNullable<RuntimeSpec["process"]>;
}

/** Checks a resources block. */
export function validateResources(value: unknown): NonNullable<NonNullable<RuntimeSpec["linux"]>["resources"]> {
  resources(value, "resources");
  return withoutNulls(value) as NonNullable<NonNullable<RuntimeSpec["linux"]>["resources"]>;
}

// Go writes nil slices and pointers as null; here absent is absent.
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.filter((one) => one !== null).map(withoutNulls);
  if (typeof value !== "object" || value === null) return value;
  const kept = Object.entries(value).filter(([, one]) => one !== null);
  return Object.fromEntries(kept.map(([key, one]) => [key, withoutNulls(one)]));
}
