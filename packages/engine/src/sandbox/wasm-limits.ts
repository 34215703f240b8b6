// The limits of a Wasm container: what docker's flags mean for a guest, and the bounds that only guests have (`--limit`).
import { LapError, type ResourcesSpec } from "@lapstrake/base";
import type { WasmLimits } from "@lapstrake/wasm";
import type { CreateRequest } from "../containers/request.ts";
import { storageBytes } from "../containers/storage-option.ts";

/** Bounds of a guest that docker has no flag for. */
export interface GuestLimits {
  /** Wall time, milliseconds; of a component that answers requests, that of each. */
  readonly timeoutMs?: number;
  /** Processor time, milliseconds. */
  readonly cpuMs?: number;
  /** stdout and stderr together, bytes. */
  readonly outputBytes?: number;
  /** Descriptors open at once in each process. */
  readonly openFiles?: number;
  /** Children that were not joined yet. */
  readonly processes?: number;
  /** What it changes in its filesystem, bytes. */
  readonly filesystemBytes?: number;
}

/** What the payload's own cgroup gets on top of the guest's memory: Node, our host, the index of the layers. */
const HOST_BYTES = 256 * 1024 * 1024;
const CPU_PERIOD_US = 100_000;

/** Limits inside: of linear memory, and the guest's own. */
export function guestLimits({ memoryBytes, pidsLimit, ulimits, guestLimits: own = {} }: CreateRequest): WasmLimits {
  const { filesystemBytes: _filesystem, ...limits } = own;
  const openFiles = ulimits?.find(({ name }) => name === "nofile")?.soft ?? -1;
  return {
    ...(openFiles < 0 ? {} : { openFiles }),
    ...(memoryBytes === undefined ? {} : { memoryBytes }),
    ...(pidsLimit === undefined || pidsLimit < 0 ? {} : { processes: pidsLimit }),
    ...limits,
  };
}

/** Most bytes of changed data; with a memory limit no more than that, for they are in memory. */
export function filesystemLimit(request: CreateRequest): number | undefined {
  return request.guestLimits?.filesystemBytes ?? storageBytes(request) ?? request.memoryBytes;
}

/** Limits outside: of the payload's cgroup. Without one, memory is bounded inside only. */
export function payloadResources({ memoryBytes, cpus }: CreateRequest, hasCgroup: boolean): ResourcesSpec {
  // Linear memory and the filesystem's changes may both reach the limit.
  const bytes = memoryBytes === undefined || !hasCgroup ? undefined : 2 * memoryBytes + HOST_BYTES;
  return {
    ...(bytes === undefined ? {} : { memory: { limit: bytes, swap: bytes } }),
    ...(cpus === undefined ? {} : { cpu: { period: CPU_PERIOD_US, quota: Math.round(cpus * CPU_PERIOD_US) } }),
  };
}

const NO_RIGHTS = "a guest has no privileges, users, devices or kernel of its own";
const NO_SUCH_LIMIT = "use -m, --limit, --cpus and --pids-limit";

/** Fields that would mean nothing to a guest, the flag that sets each, and what to say. */
const REFUSED: readonly (readonly [field: keyof CreateRequest, flag: string, hint: string])[] = [
  ["privileged", "--privileged", NO_RIGHTS],
  ["capAdd", "--cap-add", NO_RIGHTS],
  ["user", "--user", NO_RIGHTS],
  ["groupAdd", "--group-add", NO_RIGHTS],
  ["devices", "--device", NO_RIGHTS],
  ["deviceCgroupRules", "--device-cgroup-rule", NO_RIGHTS],
  ["sysctls", "--sysctl", NO_RIGHTS],
  ["ipc", "--ipc", NO_RIGHTS],
  ["pid", "--pid", NO_RIGHTS],
  ["uts", "--uts", NO_RIGHTS],
  ["init", "--init", "the guest's host is its init"],
  ["extraHosts", "--add-host", "a guest resolves no names of its own"],
  ["shmSizeBytes", "--shm-size", "a guest has no /dev/shm; mount a --tmpfs"],
  ["memorySwapBytes", "--memory-swap", NO_SUCH_LIMIT],
  ["memoryReservationBytes", "--memory-reservation", NO_SUCH_LIMIT],
  ["memorySwappiness", "--memory-swappiness", NO_SUCH_LIMIT],
  ["oomKillDisable", "--oom-kill-disable", NO_SUCH_LIMIT],
];

/** Throws `ERR_LAP_WASM_OPTION` for what was asked and a Wasm container cannot give. */
export function checkWasmRequest(request: CreateRequest): void {
  for (const [field, flag, hint] of REFUSED) if (isAsked(request[field])) throw refusal(flag, hint);
  for (const option of request.securityOpt ?? []) {
    if (!option.startsWith("wasm=")) throw refusal(`--security-opt ${option}`, "wasm=unconfined is the one there is");
  }
  const other = request.ulimits?.find(({ name }) => name !== "nofile");
  if (other !== undefined) throw refusal(`--ulimit ${other.name}`, NO_SUCH_LIMIT);
}

function isAsked(value: unknown): boolean {
  return value !== undefined && value !== false && !(Array.isArray(value) && value.length === 0);
}

/** What of the request bounds the payload as any process: memory and descriptors are bounded by the limits above. */
export function payloadRequest(request: CreateRequest): CreateRequest {
  const { memoryBytes: _memory, pidsLimit: _pids, ulimits: _ulimits, ...rest } = request;
  return rest;
}

/** Throws `ERR_LAP_WASM_OPTION` for what only a Wasm container can give. */
export function checkLinuxRequest(request: CreateRequest): void {
  if (request.securityOpt?.some((option) => option.startsWith("wasm=")) === true) {
    throw refusal("--security-opt wasm", "it is for Wasm containers", "a Linux container");
  }
  if (request.guestHttp !== undefined) {
    throw refusal("--allow-host and --secret", "they are for Wasm containers", "a Linux container");
  }
  if (request.guestLimits !== undefined) {
    throw refusal(
      "--limit",
      "it is for Wasm containers; use -m, --cpus, --pids-limit and --ulimit",
      "a Linux container",
    );
  }
}

function refusal(flag: string, hint: string, what = "a Wasm container"): LapError {
  return new LapError("invalidArgument", "ERR_LAP_WASM_OPTION", `${what} does not take ${flag}`, { hint });
}
