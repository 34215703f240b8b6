// What a mount can be wrong about whatever the container is, in docker's words (`invalid mount config for type …`). Pure.
import { posix } from "node:path";
import { LapError } from "@lapstrake/base";
import type { MountRequest } from "./types.ts";

const PROPAGATION = new Set(["private", "rprivate", "shared", "rshared", "slave", "rslave"]);

/** Throws `ERR_LAP_MOUNT_INVALID`. */
export function checkMount(mount: MountRequest): void {
  const why = targetProblem(mount) ?? CHECKS[mount.type]?.(mount);
  if (CHECKS[mount.type] === undefined) throw invalidMount(mount, "mount type unknown");
  if (why !== undefined) throw invalidMount(mount, why);
}

/** Docker's error about one mount. */
export function invalidMount(mount: MountRequest, why: string): LapError {
  return new LapError(
    "invalidArgument",
    "ERR_LAP_MOUNT_INVALID",
    `invalid mount config for type "${mount.type}": ${why}`,
  );
}

/** The target as it is compared and recorded. */
export function cleanTarget(target: string): string {
  const clean = posix.normalize(target);
  return clean.length > 1 && clean.endsWith("/") ? clean.slice(0, -1) : clean;
}

function targetProblem({ target }: MountRequest): string | undefined {
  if (target === "") return "field Target must not be empty";
  if (cleanTarget(target) === "/") return "invalid specification: destination can't be '/'";
  return absolute(target);
}

function absolute(path: string): string | undefined {
  return path.startsWith("/") ? undefined : `invalid mount path: '${path}' mount path must be absolute`;
}

const CHECKS: Readonly<Record<string, (mount: MountRequest) => string | undefined>> = {
  bind({ source = "", propagation }) {
    if (source === "") return "field Source must not be empty";
    if (propagation !== undefined && !PROPAGATION.has(propagation)) return `invalid propagation mode: ${propagation}`;
    return absolute(source);
  },
  volume({ source, subpath, readOnly, propagation, idmap }) {
    if (propagation !== undefined) return "field BindOptions must not be specified";
    if (subpath !== undefined && source === undefined) return "must not set Subpath when using anonymous volumes";
    if (subpath !== undefined && !isLocal(subpath)) return "subpath must be a relative path within the volume";
    if (readOnly === true && source === undefined) return "must not set ReadOnly mode when using anonymous volumes";
    if (idmap === true && source === undefined) return "must not set idmap when using anonymous volumes";
    return undefined;
  },
  tmpfs({ source }) {
    return source === undefined ? undefined : "field Source must not be specified";
  },
  image({ source = "", subpath }) {
    if (source === "") return "field Source must not be empty";
    return subpath === undefined || isLocal(subpath) ? undefined : "subpath must be a relative path within the volume";
  },
};

/** A relative path that stays beneath its base by its text alone. */
function isLocal(path: string): boolean {
  return path !== "" && !path.startsWith("/") && !posix.normalize(path).split("/").includes("..");
}
