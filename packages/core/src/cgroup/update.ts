// Changing the limits of a running container: the same rows, written again. A memory limit and its swap limit may have
// to be written in the other order when both grow (memory.rst: memsw may never be below the limit).
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { errorCode, LapError, type ResourcesSpec } from "@lapstrake/base";
import { hostFacts } from "../facts/host.ts";
import type { HostFacts } from "../facts/types.ts";
import type { CgroupWrite } from "../plan/types.ts";
import { cgroupPath } from "./plan.ts";
import { resourceWrites } from "./resources.ts";

function tryWrite(write: CgroupWrite): unknown {
  try {
    writeFileSync(write.path, write.value);
    return undefined;
  } catch (error) {
    return error ?? new Error("unknown");
  }
}

function refuse(write: CgroupWrite, cause: unknown): LapError {
  return new LapError(
    "invalidArgument",
    "ERR_LAP_CGROUP_LIMIT",
    `cannot set ${write.field}: writing "${write.value}" to "${write.path}" failed`,
    {
      detail: { controller: write.controller, errno: errorCode(cause) },
      cause,
    },
  );
}

function checkMemory(resources: ResourcesSpec, writes: readonly CgroupWrite[]): void {
  const limit = resources.memory?.limit;
  const write = writes.find((one) => one.field.endsWith("memory.limit"));
  if (resources.memory?.checkBeforeUpdate !== true || limit === undefined || limit < 0 || write === undefined) return;
  const usageFile = write.path.endsWith("memory.max") ? "memory.current" : "memory.usage_in_bytes";
  const usage = Number(readFileSync(join(dirname(write.path), usageFile), "latin1"));
  if (usage > limit) throw refuse(write, new Error(`${usage} bytes are in use`));
}

/** Writes the limits that `resources` names; throws `ERR_LAP_CGROUP_LIMIT` or `ERR_LAP_CGROUP_CONTROLLER`. */
export function updateResources(
  cgroupsPath: string | undefined,
  id: string,
  resources: ResourcesSpec,
  facts: HostFacts = hostFacts(),
): void {
  const writes = resourceWrites(resources, facts, cgroupPath(cgroupsPath, id));
  checkMemory(resources, writes);
  let waiting = writes;
  // Each round writes what it can; a round that gets nowhere names the first refusal.
  for (;;) {
    const refused = waiting
      .map((write) => ({ write, error: tryWrite(write) }))
      .filter(({ error }) => error !== undefined);
    if (refused.length === 0) return;
    if (refused.length === waiting.length) throw refuse(refused[0]!.write, refused[0]!.error);
    waiting = refused.map(({ write }) => write);
  }
}
