// Mount options of the runtime specification (config.md "Linux mount options", mount(8)) as flags: tables, not code.
import { LapError } from "@lapstrake/base";
import * as flag from "../sys/flags.ts";

/** What a list of options asks for. */
export interface MountOptions {
  bind: boolean;
  recursiveBind: boolean;
  /** MOUNT_ATTR_* to set and to clear on the mount itself. */
  set: number;
  clear: number;
  /** The same for the whole tree (rro, rnosuid …). */
  recursiveSet: number;
  recursiveClear: number;
  /** MS_SHARED … and whether for the whole tree; 0 when not named. */
  propagation: number;
  propagateAll: boolean;
  copyUp: boolean;
  idmap: "no" | "idmap" | "ridmap";
  /** Options of the filesystem itself. */
  data: string[];
}

type Change = readonly [set: number, clear: number];

const A = flag;
const ATTRIBUTES: Readonly<Record<string, Change>> = {
  ro: [A.MOUNT_ATTR_RDONLY, 0],
  rw: [0, A.MOUNT_ATTR_RDONLY],
  nosuid: [A.MOUNT_ATTR_NOSUID, 0],
  suid: [0, A.MOUNT_ATTR_NOSUID],
  nodev: [A.MOUNT_ATTR_NODEV, 0],
  dev: [0, A.MOUNT_ATTR_NODEV],
  noexec: [A.MOUNT_ATTR_NOEXEC, 0],
  exec: [0, A.MOUNT_ATTR_NOEXEC],
  noatime: [A.MOUNT_ATTR_NOATIME, A.MOUNT_ATTR_ATIME],
  atime: [0, A.MOUNT_ATTR_ATIME],
  relatime: [0, A.MOUNT_ATTR_ATIME],
  norelatime: [A.MOUNT_ATTR_STRICTATIME, A.MOUNT_ATTR_ATIME],
  strictatime: [A.MOUNT_ATTR_STRICTATIME, A.MOUNT_ATTR_ATIME],
  nostrictatime: [0, A.MOUNT_ATTR_ATIME],
  nodiratime: [A.MOUNT_ATTR_NODIRATIME, 0],
  diratime: [0, A.MOUNT_ATTR_NODIRATIME],
  nosymfollow: [A.MOUNT_ATTR_NOSYMFOLLOW, 0],
  symfollow: [0, A.MOUNT_ATTR_NOSYMFOLLOW],
};

const PROPAGATION: Readonly<Record<string, number>> = {
  private: A.MS_PRIVATE,
  shared: A.MS_SHARED,
  slave: A.MS_SLAVE,
  unbindable: A.MS_UNBINDABLE,
};

// Words without an effect of their own, as in mount(8), and those whose work is done elsewhere.
const IGNORED = new Set(["defaults", "remount", "loud", "nofail", "auto", "noauto", "user", "nouser", "newinstance"]);

function applyAttribute(options: MountOptions, name: string): boolean {
  const recursive = name.startsWith("r") && !Object.hasOwn(ATTRIBUTES, name);
  const key = recursive ? name.slice(1) : name;
  const change = Object.hasOwn(ATTRIBUTES, key) ? ATTRIBUTES[key] : undefined;
  if (change === undefined) return false;
  const [set, clear] = change;
  if (recursive) {
    options.recursiveSet = (options.recursiveSet & ~clear) | set;
    options.recursiveClear = (options.recursiveClear & ~set) | clear;
  } else {
    options.set = (options.set & ~clear) | set;
    options.clear = (options.clear & ~set) | clear;
  }
  return true;
}

function applyPropagation(options: MountOptions, name: string): boolean {
  const recursive = name.startsWith("r") && Object.hasOwn(PROPAGATION, name.slice(1));
  const key = recursive ? name.slice(1) : name;
  if (!Object.hasOwn(PROPAGATION, key)) return false;
  options.propagation = PROPAGATION[key]!;
  options.propagateAll = recursive;
  return true;
}

function applyOther(options: MountOptions, name: string): void {
  if (name === "bind" || name === "rbind") {
    options.bind = true;
    options.recursiveBind ||= name === "rbind";
  } else if (name === "tmpcopyup") options.copyUp = true;
  else if (name === "idmap" || name === "ridmap") options.idmap = name;
  else if (!IGNORED.has(name)) options.data.push(name);
}

/** Sorts options into flags and filesystem data, later ones winning. */
export function parseMountOptions(list: readonly string[]): MountOptions {
  const options: MountOptions = {
    bind: false,
    recursiveBind: false,
    set: 0,
    clear: 0,
    recursiveSet: 0,
    recursiveClear: 0,
    propagation: 0,
    propagateAll: false,
    copyUp: false,
    idmap: "no",
    data: [],
  };
  for (const name of list) {
    if (name === "") continue;
    if (!applyAttribute(options, name) && !applyPropagation(options, name)) applyOther(options, name);
  }
  return options;
}

/** Propagation flag of `rootfsPropagation` (`rslave` …); throws `ERR_LAP_SPEC_INVALID`. */
export function parsePropagation(name: string): { flags: number; recursive: boolean } {
  const recursive = name.startsWith("r");
  const key = recursive ? name.slice(1) : name;
  const flags = Object.hasOwn(PROPAGATION, key) ? PROPAGATION[key] : undefined;
  if (flags === undefined) {
    throw new LapError("invalidArgument", "ERR_LAP_SPEC_INVALID", `linux.rootfsPropagation: unknown value "${name}"`, {
      hint: "use private, slave, shared or unbindable, with an r in front for the whole tree",
    });
  }
  return { flags, recursive };
}
