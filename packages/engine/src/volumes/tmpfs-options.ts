// Options of a tmpfs as docker takes them (--tmpfs and --mount type=tmpfs): tmpfs(5), mount(8). Pure.
import { LapError } from "@lapstrake/base";
import type { MountRequest } from "./types.ts";

const DEFAULTS = ["noexec", "nosuid", "nodev"] as const;
/** Each pair excludes the other; what is given replaces the default. */
const OPPOSITES: Readonly<Record<string, string>> = {
  exec: "noexec",
  noexec: "exec",
  suid: "nosuid",
  nosuid: "suid",
  dev: "nodev",
  nodev: "dev",
  ro: "rw",
  rw: "ro",
  sync: "async",
  async: "sync",
  atime: "noatime",
  noatime: "atime",
  relatime: "norelatime",
  norelatime: "relatime",
  strictatime: "nostrictatime",
  nostrictatime: "strictatime",
  diratime: "nodiratime",
  nodiratime: "diratime",
};
const PLAIN = new Set(["defaults", "dirsync", "inode32", "inode64"]);
const VALUES = new Set(["mode", "uid", "gid", "size", "nr_inodes", "nr_blocks", "mpol", "huge"]);

/** Options of `--tmpfs TARGET[:options]`. Throws `ERR_LAP_MOUNT_INVALID`. */
export function tmpfsOptions(text: string): string[] {
  const given = text === "" ? [] : text.split(",");
  for (const word of given) {
    const [key = "", value] = word.split(/=(.*)/s);
    const isKnown = value === undefined ? PLAIN.has(key) || Object.hasOwn(OPPOSITES, key) : VALUES.has(key);
    if (isKnown) continue;
    throw new LapError("invalidArgument", "ERR_LAP_MOUNT_INVALID", `invalid tmpfs option ["${word}"]`, {
      hint: `known are ${[...Object.keys(OPPOSITES), ...PLAIN].join(", ")}, and with a value ${[...VALUES].join(", ")}`,
    });
  }
  const kept = DEFAULTS.filter((word) => !given.includes(OPPOSITES[word]!));
  return [...new Set([...kept, ...given])].filter((word) => word !== "defaults");
}

/** Options of a mount of type tmpfs. */
export function tmpfsMountOptions({ tmpfsSizeBytes, tmpfsMode, readOnly }: MountRequest): string[] {
  return [
    ...DEFAULTS,
    ...(readOnly === true ? ["ro"] : []),
    ...(tmpfsMode === undefined || tmpfsMode === 0 ? [] : [`mode=${tmpfsMode.toString(8)}`]),
    ...(tmpfsSizeBytes === undefined || tmpfsSizeBytes === 0 ? [] : [`size=${tmpfsSizeBytes}`]),
  ];
}
