// The order of a container's mounts, with docker's rules: what is asked for replaces a default at the same place, parents come before
// what is mounted in them, and under a read-only root the engine's own mounts are read-only too. Pure.
import type { MountSpec } from "@lapstrake/base";

/** Mounts that stay writable under a read-only root. */
const ALWAYS_WRITABLE = new Set(["/proc", "/dev/pts", "/dev/shm", "/dev/mqueue", "/dev"]);

/** Where the three kinds of mounts come from. */
export interface MountSources {
  /** Of every container. */
  readonly defaults: readonly MountSpec[];
  /** The engine's: managed files, includes of the host image. */
  readonly own: readonly MountSpec[];
  readonly asked: readonly MountSpec[];
}

/** All mounts in the order they are made. */
export function arrangeMounts({ defaults, own, asked }: MountSources, readOnlyRoot: boolean): MountSpec[] {
  const targets = new Set(asked.map(({ destination }) => destination));
  const isReplaced = ({ destination }: MountSpec): boolean =>
    targets.has(destination) || (targets.has("/dev") && destination.startsWith("/dev/"));
  const adapt = (mount: MountSpec): MountSpec => (readOnlyRoot ? readOnly(mount) : mount);
  const kept = defaults.filter((mount) => !isReplaced(mount)).map(adapt);
  const others = [...own.filter((mount) => !isReplaced(mount)).map(adapt), ...asked];
  return [...kept, ...others.toSorted((a, b) => depth(a) - depth(b))];
}

function depth({ destination }: MountSpec): number {
  return destination.split("/").length;
}

function readOnly(mount: MountSpec): MountSpec {
  const { destination, options = [] } = mount;
  if (ALWAYS_WRITABLE.has(destination) || options.includes("ro") || options.includes("rro")) return mount;
  return { ...mount, options: [...options.filter((word) => word !== "rw"), "ro"] };
}

/** How the root must propagate for what is asked: `rslave` or `rshared`, undefined for the default. */
export function rootPropagation(asked: readonly MountSpec[]): "shared" | "rslave" | undefined {
  const words = new Set(asked.flatMap(({ options = [] }) => options));
  if (words.has("shared") || words.has("rshared")) return "shared";
  return words.has("slave") || words.has("rslave") ? "rslave" : undefined;
}
