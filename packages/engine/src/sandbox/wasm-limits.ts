// The limits of a Wasm container: what docker's flags mean for a guest, and the bounds that only guests have (`--limit`).
import { LapError, type ResourcesSpec } from "@lapstrake/base";
import type { WasmLimits } from "@lapstrake/wasm";
import type { CreateRequest } from "../containers/request.ts";

/** Bounds of a guest that docker has no flag for. */
export interface GuestLimits {
  /** Wall time, milliseconds. */
  readonly timeoutMs?: number;
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
export function guestLimits({ memoryBytes, pidsLimit, guestLimits: own = {} }: CreateRequest): WasmLimits {
  const { filesystemBytes: _filesystem, ...limits } = own;
  return {
    ...(memoryBytes === undefined ? {} : { memoryBytes }),
    ...(pidsLimit === undefined || pidsLimit < 0 ? {} : { processes: pidsLimit }),
    ...limits,
  };
}

/** Most bytes of changed data; with a memory limit no more than that, for they are in memory. */
export function filesystemLimit({ memoryBytes, guestLimits: own }: CreateRequest): number | undefined {
  return own?.filesystemBytes ?? memoryBytes;
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

/** Throws `ERR_LAP_WASM_OPTION` for what was asked and a Wasm container cannot give. */
export function checkWasmRequest(request: CreateRequest): void {
  const refused: readonly (readonly [boolean, string, string])[] = [
    [
      request.privileged === true,
      "--privileged",
      "a guest has no privileges; --security-opt wasm=unconfined is the nearest",
    ],
    [(request.capAdd ?? []).length > 0, "--cap-add", "a guest has no capabilities"],
    [request.user !== undefined, "--user", "WASI has no users"],
    [(request.groupAdd ?? []).length > 0, "--group-add", "WASI has no groups"],
    [(request.extraHosts ?? []).length > 0, "--add-host", "a guest resolves no names of its own"],
    [request.shmSizeBytes !== undefined, "--shm-size", "a guest has no /dev/shm"],
  ];
  for (const [is, flag, why] of refused) if (is) throw refusal(flag, why);
}

/** Throws `ERR_LAP_WASM_OPTION` for what only a Wasm container can give. */
export function checkLinuxRequest(request: CreateRequest): void {
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
