// -v [SOURCE:]TARGET[:OPTIONS] -> MountRequest, with docker's rules and words. Pure.
import { LapError } from "@lapstrake/base";
import type { MountRequest } from "./types.ts";
import { checkMount } from "./check-mount.ts";

const PROPAGATION = ["private", "rprivate", "shared", "rshared", "slave", "rslave"];
/** Words of which one of each group may stand in the options. */
const GROUPS: readonly (readonly string[])[] = [
  ["ro", "rw"],
  ["z", "Z"],
  ["nocopy"],
  PROPAGATION,
  ["consistent", "cached", "delegated"],
  ["idmap"],
];

/** A parsed `-v` with its options as typed. */
export interface ParsedBind {
  readonly mount: MountRequest;
  readonly mode: string;
}

/** Throws `ERR_LAP_MOUNT_INVALID`. */
export function parseBind(text: string): ParsedBind {
  const parts = text.split(":");
  const [first = "", second, mode = ""] = parts;
  const tooMany = parts.length > 3;
  const modeAsTarget = parts.length === 2 && isMode(second!);
  if (first === "" || tooMany || modeAsTarget) throw invalid(`invalid volume specification: '${text}'`);
  if (!isMode(mode)) throw invalid(`invalid mode: ${mode}`);
  const source = second === undefined ? undefined : first;
  const mount = request(source, second ?? first, mode === "" ? [] : mode.split(","));
  try {
    checkMount(mount);
  } catch (error) {
    if (error instanceof LapError) throw invalid(`invalid volume specification: '${text}': ${error.message}`);
    throw error;
  }
  return { mount, mode };
}

function request(source: string | undefined, target: string, words: readonly string[]): MountRequest {
  const propagation = words.find((word) => PROPAGATION.includes(word));
  const isBind = source?.startsWith("/") === true;
  return {
    type: isBind ? "bind" : "volume",
    target,
    ...(source === undefined ? {} : { source }),
    readOnly: words.includes("ro"),
    ...(propagation === undefined ? {} : { propagation }),
    ...(isBind ? { createSource: true } : {}),
    ...(words.includes("nocopy") ? { noCopy: true } : {}),
    ...(words.includes("idmap") ? { idmap: true } : {}),
  };
}

/** True for options of a mount, "" among them. */
export function isMode(text: string): boolean {
  const seen = new Set<number>();
  return (text === "" ? [] : text.split(",")).every((word) => {
    const group = GROUPS.findIndex((words) => words.includes(word));
    if (group < 0 || seen.has(group)) return false;
    seen.add(group);
    return true;
  });
}

/** `CONTAINER[:ro|rw…]` of --volumes-from. Throws `ERR_LAP_MOUNT_INVALID`. */
export function parseVolumesFrom(text: string): { readonly container: string; readonly readOnly: boolean } {
  if (text === "") throw invalid("volumes-from specification cannot be an empty string");
  const [container = "", mode = ""] = text.split(/:(.*)/s);
  if (!isMode(mode) || mode.split(",").includes("nocopy")) throw invalid(`invalid mode: ${mode}`);
  return { container, readOnly: mode.split(",").includes("ro") };
}

function invalid(message: string): LapError {
  return new LapError("invalidArgument", "ERR_LAP_MOUNT_INVALID", message);
}
