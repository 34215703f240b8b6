// What a user namespace changes in a plan: id maps written by the helper, sources opened before the ids change, devices
// bound instead of made (mknod is the host's right alone). user_namespaces(7).
import { LapError, type IdMapSpec, type LinuxSpec } from "@lapstrake/base";
import { FILE_TYPE_BITS, MS_PRIVATE, S_IFMT } from "../sys/flags.ts";
import type { NamespacePlan } from "./namespaces.ts";
import type { PlanOp } from "./types.ts";

/** The kernel's limit on lines of an id map. */
const MAX_MAPS = 340;

function triples(maps: readonly IdMapSpec[] | undefined, field: string): number[] {
  const list = maps ?? [];
  if (list.length === 0 || list.length > MAX_MAPS) {
    throw new LapError(
      "invalidArgument",
      "ERR_LAP_SPEC_INVALID",
      `linux.${field}: a user namespace needs 1 to ${MAX_MAPS} mappings`,
    );
  }
  return list.flatMap(({ containerID, hostID, size }) => [containerID, hostID, size]);
}

/** Id maps of a new user namespace as triples; [] without one. Throws `ERR_LAP_SPEC_INVALID`. */
export function idMaps(linux: LinuxSpec, namespaces: NamespacePlan): { uidMap: number[]; gidMap: number[] } {
  if (namespaces.isNew.has("user")) {
    return { uidMap: triples(linux.uidMappings, "uidMappings"), gidMap: triples(linux.gidMappings, "gidMappings") };
  }
  const isMapped = (linux.uidMappings?.length ?? 0) + (linux.gidMappings?.length ?? 0) > 0;
  if (isMapped && !namespaces.joined.has("user")) {
    throw new LapError("invalidArgument", "ERR_LAP_SPEC_INVALID", "linux.uidMappings: mappings need a user namespace");
  }
  return { uidMap: [], gidMap: [] };
}

function sourcesOf(ops: readonly PlanOp[]): string[] {
  const paths = ops.flatMap((op) => {
    if (op.op === "mountBind") return [op["source"] as string];
    if (op.op === "rootBind") return [op["path"] as string];
    return op.op === "rootOverlay" ? [op["at"] as string] : [];
  });
  return [...new Set(paths)];
}

// The host's device of the same path, bound over a file of the container's.
function boundDevice(op: PlanOp): PlanOp {
  if (op.op !== "mknod" || ((op["mode"] as number) & S_IFMT) === FILE_TYPE_BITS.fifo) return op;
  const path = op["path"] as string;
  return {
    op: "mountBind",
    source: path,
    target: path,
    recursive: 0,
    set: 0,
    clear: 0,
    recursiveSet: 0,
    recursiveClear: 0,
    propagation: MS_PRIVATE,
    propagateAll: 0,
  };
}

function withoutRepeatedBinds(ops: readonly PlanOp[]): PlanOp[] {
  const seen = new Set<string>();
  return ops.filter((op) => {
    if (op.op !== "mountBind" || op["source"] !== op["target"]) return true;
    const isNew = !seen.has(op["target"] as string);
    seen.add(op["target"] as string);
    return isNew;
  });
}

/** The filesystem operations as a user namespace can do them. */
export function inUserNamespace(ops: readonly PlanOp[]): PlanOp[] {
  const bound = withoutRepeatedBinds(ops.map(boundDevice));
  return [{ op: "openSources", paths: sourcesOf(bound) }, { op: "mappedRoot" }, ...bound];
}
