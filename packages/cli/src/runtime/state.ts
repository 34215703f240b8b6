// Containers of a state root: ROOT/ID/{state.json,config.json,exec.fifo}. state.json is written by tmp and rename.
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { errorCode, LapError, type RuntimeSpec, type RuntimeState } from "@lapstrake/base";
import { removeWhole, startTime } from "@lapstrake/core";

/** What is kept about a container. */
export interface Kept {
  readonly ociVersion: string;
  readonly id: string;
  readonly bundle: string;
  readonly annotations: Readonly<Record<string, string>>;
  /** RFC 3339. */
  readonly created: string;
  readonly pid: number;
  readonly pidStartTime: number;
  readonly owner: number;
  /** `cgroup.freeze` or `freezer.state`; "" when it cannot be paused. */
  readonly freezerFile: string;
}

export type Status = RuntimeState["status"];

const ID = /^[A-Za-z0-9_+.-]+$/;
const VERSION = "1.2.0";

/** Checks an id; throws `ERR_LAP_ID_INVALID`. */
export function checkId(id: string): string {
  if (ID.test(id) && id !== "." && id !== ".." && id.length <= 1024) return id;
  throw new LapError(
    "invalidArgument",
    "ERR_LAP_ID_INVALID",
    `invalid container id ${JSON.stringify(id.slice(0, 100))}`,
  );
}

/** The container's directory in the root. */
export function directoryOf(root: string, id: string): string {
  return join(root, checkId(id));
}

/** Claims an id by making its directory; throws `ERR_LAP_EXISTS`. */
export function claim(root: string, id: string): string {
  const dir = directoryOf(root, id);
  mkdirSync(root, { recursive: true, mode: 0o700 });
  try {
    mkdirSync(dir, { mode: 0o700 });
  } catch (cause) {
    if (errorCode(cause) !== "EEXIST") throw cause;
    throw new LapError("alreadyExists", "ERR_LAP_EXISTS", `container with id exists already: "${id}"`, { cause });
  }
  return dir;
}

/** Removes the directory of a container. */
export function forget(root: string, id: string): void {
  removeWhole(directoryOf(root, id));
}

/** Writes state.json. */
export function keep(root: string, kept: Kept): void {
  const file = join(directoryOf(root, kept.id), "state.json");
  writeFileSync(`${file}.tmp`, JSON.stringify(kept));
  renameSync(`${file}.tmp`, file);
}

/** Reads state.json; throws `ERR_LAP_NO_CONTAINER`. */
export function load(root: string, id: string): Kept {
  try {
    return JSON.parse(readFileSync(join(directoryOf(root, id), "state.json"), "utf8")) as Kept;
  } catch (cause) {
    if (errorCode(cause) !== "ENOENT") throw cause;
    throw new LapError("notFound", "ERR_LAP_NO_CONTAINER", `container does not exist: "${id}"`, { cause });
  }
}

/** The spec a container was made from. */
export function loadSpec(root: string, id: string): RuntimeSpec {
  return JSON.parse(readFileSync(join(directoryOf(root, id), "config.json"), "utf8")) as RuntimeSpec;
}

/** True when the end of the first process does not end the others: it has no pid namespace of its own. */
export function sharesPids(spec: RuntimeSpec): boolean {
  return !(spec.linux?.namespaces ?? []).some(({ type, path }) => type === "pid" && (path ?? "") === "");
}

function isFrozen(kept: Kept): boolean {
  try {
    return /^(1|FROZEN|FREEZING)/.test(readFileSync(kept.freezerFile, "latin1"));
  } catch {
    // No freezer, or the cgroup is gone: not paused.
    return false;
  }
}

/** Where in its life a container is, from its process, its gate and its freezer. */
export function statusOf(root: string, kept: Kept): Status {
  if (startTime(kept.pid) !== kept.pidStartTime) return "stopped";
  if (existsSync(join(directoryOf(root, kept.id), "exec.fifo"))) return "created";
  return isFrozen(kept) ? "paused" : "running";
}

/** The specification's state document. */
export function stateOf(kept: Kept, status: Status): RuntimeState {
  const { id, bundle, annotations } = kept;
  const pid = status === "stopped" ? {} : { pid: kept.pid };
  return { ociVersion: VERSION, id, status, ...pid, bundle, annotations };
}

/** Every container of the root, in the order of their names. */
export function listAll(root: string): Kept[] {
  let names: string[];
  try {
    names = readdirSync(root).toSorted();
  } catch (error) {
    if (errorCode(error) === "ENOENT") return [];
    throw error;
  }
  return names.filter((name) => existsSync(join(root, name, "state.json"))).map((name) => load(root, name));
}

/** Throws `ERR_LAP_STATE` unless the status is one of `allowed`. */
export function requireStatus(root: string, kept: Kept, allowed: readonly Status[], what: string): Status {
  const status = statusOf(root, kept);
  if (allowed.includes(status)) return status;
  throw new LapError("failedPrecondition", "ERR_LAP_STATE", `cannot ${what} a container in the ${status} state`);
}
