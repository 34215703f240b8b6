// Which file on this host each limit goes to. A limit whose controller is missing is refused, never ignored.
import { join } from "node:path";
import { LapError, type ResourcesSpec } from "@lapstrake/base";
import type { CgroupMount, HostFacts } from "../facts/types.ts";
import type { CgroupWrite } from "../plan/types.ts";
import { LIMIT_ROWS, NOT_ON_V2, type LimitRow } from "./limits.ts";

/** v2 calls the block controller io. */
const V2_NAMES: Readonly<Record<string, string>> = { blkio: "io" };

/** The mounted hierarchy that has a controller, v1 first: on a hybrid host it is in exactly one. */
export function controllerMount(facts: HostFacts, controller: string): CgroupMount | undefined {
  const v1 = facts.cgroups.find((mount) => mount.version === 1 && mount.controllers.includes(controller));
  const name = V2_NAMES[controller] ?? controller;
  return v1 ?? facts.cgroups.find((mount) => mount.version === 2 && mount.controllers.includes(name));
}

function missing(row: LimitRow): LapError {
  return new LapError(
    "failedPrecondition",
    "ERR_LAP_CGROUP_CONTROLLER",
    `linux.resources.${row.field}: this host has no "${row.controller}" cgroup controller`,
    {
      hint: "remove the limit, or enable the controller (see lap doctor)",
      detail: { controller: row.controller, field: row.field },
    },
  );
}

// What v2 has no file for is not dropped: the container would run without a limit that somebody relies on.
function notOnV2(row: LimitRow): LapError {
  return new LapError(
    "failedPrecondition",
    "ERR_LAP_CGROUP_CONTROLLER",
    `linux.resources.${row.field}: cgroup v2 has no such limit`,
    { hint: "remove it", detail: { controller: row.controller, field: row.field } },
  );
}

function rowWrites(row: LimitRow, resources: ResourcesSpec, facts: HostFacts, path: string): CgroupWrite[] {
  const mount = controllerMount(facts, row.controller);
  const values = (mount?.version === 2 ? row.v2 : row.v1)(resources);
  if (values.length === 0 && mount?.version === 2 && row.v2 === NOT_ON_V2 && row.v1(resources).length > 0) {
    throw notOnV2(row);
  }
  if (values.length === 0) return [];
  if (mount === undefined) throw missing(row);
  return values.map(([file, value]) => ({
    path: join(mount.mountPoint, path, file),
    value,
    controller: row.controller,
    field: `linux.resources.${row.field}`,
  }));
}

function unifiedWrites(resources: ResourcesSpec, facts: HostFacts, path: string): CgroupWrite[] {
  const entries = Object.entries(resources.unified ?? {});
  if (entries.length === 0) return [];
  const mount = facts.cgroups.find((one) => one.version === 2);
  return entries.map(([file, value]) => {
    const controller = file.split(".")[0]!;
    const isThere = controller === "cgroup" || mount?.controllers.includes(controller) === true;
    if (mount === undefined || file.includes("/") || !file.includes(".") || !isThere) {
      throw new LapError(
        "invalidArgument",
        "ERR_LAP_CGROUP_CONTROLLER",
        `linux.resources.unified: invalid configuration: "${file}" is not a file of a v2 cgroup here`,
      );
    }
    return {
      path: join(mount.mountPoint, path, file),
      value,
      controller,
      field: `linux.resources.unified.${file}`,
    };
  });
}

/** Writes for every limit of the block, except devices. Throws `ERR_LAP_CGROUP_CONTROLLER`. */
export function resourceWrites(resources: ResourcesSpec, facts: HostFacts, path: string): CgroupWrite[] {
  const rows = LIMIT_ROWS.flatMap((row) => rowWrites(row, resources, facts, path));
  return [...rows, ...unifiedWrites(resources, facts, path)];
}
