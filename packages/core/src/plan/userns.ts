// What a user namespace changes in a plan: id maps written by the helper, sources opened before the ids change, devices
// bound instead of made (mknod is the host's right alone). user_namespaces(7).
import { LapError, type IdMapSpec, type LinuxSpec } from "@lapstrake/base";
import type { HostFacts } from "../facts/types.ts";
import { FILE_TYPE_BITS, MS_PRIVATE, S_IFMT } from "../sys/flags.ts";
import type { NamespacePlan } from "./namespaces.ts";
import type { LaunchPlan, PlanOp } from "./types.ts";

/** The kernel's limit on lines of an id map. */
const MAX_MAPS = 340;

/** Maps as the helper takes them; throws `ERR_LAP_SPEC_INVALID` for none or too many. */
export function triples(maps: readonly IdMapSpec[] | undefined, field: string): number[] {
  const list = maps ?? [];
  if (list.length === 0 || list.length > MAX_MAPS) {
    throw new LapError("invalidArgument", "ERR_LAP_SPEC_INVALID", `${field}: 1 to ${MAX_MAPS} mappings are needed`);
  }
  return list.flatMap(({ containerID, hostID, size }) => [containerID, hostID, size]);
}

/** A container's ids; empty outside of a user namespace. */
export type IdTriples = Pick<LaunchPlan, "uidMap" | "gidMap">;

/** How a plan's maps are written. */
export type IdMaps = Pick<LaunchPlan, "uidMap" | "gidMap" | "idHelpers" | "denySetgroups">;

function isOwnId(map: readonly number[], id: number): boolean {
  return map.length === 3 && map[1] === id && map[2] === 1;
}

// Without privilege: one id, one's own, is written directly; more only by the setuid helpers and /etc/subuid.
function writers(
  uidMap: readonly number[],
  gidMap: readonly number[],
  facts: HostFacts,
): Pick<IdMaps, "idHelpers" | "denySetgroups"> {
  if (facts.euid === 0) return { idHelpers: undefined, denySetgroups: false };
  if (isOwnId(uidMap, facts.euid) && isOwnId(gidMap, facts.egid)) return { idHelpers: undefined, denySetgroups: true };
  if (facts.idHelpers !== undefined) return { idHelpers: facts.idHelpers, denySetgroups: false };
  throw new LapError(
    "failedPrecondition",
    "ERR_LAP_NO_IDMAP",
    "linux.uidMappings: more than one's own id needs newuidmap and newgidmap",
    {
      hint: "install uidmap and give the user a range in /etc/subuid and /etc/subgid, or map a single id",
    },
  );
}

/** Id maps of a new user namespace as triples; [] without one. Throws `ERR_LAP_SPEC_INVALID`, `ERR_LAP_NO_IDMAP`. */
export function idMaps(linux: LinuxSpec, namespaces: NamespacePlan, facts: HostFacts): IdMaps {
  if (namespaces.isNew.has("user")) {
    const uidMap = triples(linux.uidMappings, "linux.uidMappings");
    const gidMap = triples(linux.gidMappings, "linux.gidMappings");
    return { uidMap, gidMap, ...writers(uidMap, gidMap, facts) };
  }
  if (facts.euid !== 0) {
    throw new LapError(
      "permissionDenied",
      "ERR_LAP_NOT_ROOT",
      "linux.namespaces: without root a user namespace is needed",
      {
        hint: "add a user namespace with mappings (lap-runtime spec --rootless shows one), or run as root",
      },
    );
  }
  const isMapped = (linux.uidMappings?.length ?? 0) + (linux.gidMappings?.length ?? 0) > 0;
  if (isMapped && !namespaces.joined.has("user")) {
    throw new LapError("invalidArgument", "ERR_LAP_SPEC_INVALID", "linux.uidMappings: mappings need a user namespace");
  }
  return { uidMap: [], gidMap: [], idHelpers: undefined, denySetgroups: false };
}

function sourcesOf(ops: readonly PlanOp[]): string[] {
  const opened = new Set(ops.filter(({ op }) => op === "openBeneath").map(({ source }) => source));
  const paths = ops.flatMap((op) => {
    if (op.op === "mountBind") return [op["source"] as string];
    if (op.op === "rootBind") return [op["path"] as string];
    return op.op === "rootOverlay" || op.op === "rootMapped" ? [op["at"] as string] : [];
  });
  return [...new Set(paths)].filter((path) => !opened.has(path));
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

function isMapped(gidMap: readonly number[], id: number): boolean {
  for (let i = 0; i + 2 < gidMap.length; i += 3) {
    if (id >= gidMap[i]! && id < gidMap[i]! + gidMap[i + 2]!) return true;
  }
  return false;
}

// Terminals belong to group 5 where there is one: mounting with an id outside the map is refused.
function withMappedGroup(op: PlanOp, gidMap: readonly number[]): PlanOp {
  if (op.op !== "mountFs" || op["type"] !== "devpts") return op;
  const options = (op["options"] as readonly string[]).filter((option) => {
    const group = /^gid=(\d+)$/.exec(option);
    return group === null || isMapped(gidMap, Number(group[1]));
  });
  return { ...op, options };
}

/** The filesystem operations as a user namespace can do them. */
export function inUserNamespace(ops: readonly PlanOp[], gidMap: readonly number[]): PlanOp[] {
  const bound = withoutRepeatedBinds(ops.map((op) => withMappedGroup(boundDevice(op), gidMap)));
  const beneath = bound.filter(({ op }) => op === "openBeneath");
  const rest = bound.filter(({ op }) => op !== "openBeneath");
  return [...beneath, { op: "openSources", paths: sourcesOf(bound) }, { op: "mappedRoot" }, ...rest];
}
