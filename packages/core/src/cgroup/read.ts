// Reading the files of a container's cgroups: what another kernel or controller does not have counts as nothing used.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { hostFacts } from "../facts/host.ts";
import { cgroupPath } from "./plan.ts";
import { controllerMount } from "./resources.ts";

const UNLIMITED = 2 ** 62;

/** Where a container's files of a controller are. */
export interface GroupDir {
  readonly dir: string;
  readonly version: 1 | 2;
}

/** The directory of each controller; undefined where nobody mounted it. */
export type Dirs = (controller: string) => GroupDir | undefined;

/** The directories of a container by `linux.cgroupsPath` (undefined: the default of `id`). */
export function groupDirs(cgroupsPath: string | undefined, id: string): Dirs {
  const facts = hostFacts();
  const path = cgroupPath(cgroupsPath, id);
  return (controller) => {
    const mount = controllerMount(facts, controller);
    return mount === undefined ? undefined : { dir: join(mount.mountPoint, path), version: mount.version };
  };
}

/** A file's text, "" when it cannot be read. */
export function text(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    // A file of another kernel or controller counts as nothing used.
    return "";
  }
}

/** A file of one number; 0 when there is none, or it says that there is no limit. */
export function number(path: string): number {
  const value = Number(text(path).trim());
  return Number.isFinite(value) && value < UNLIMITED ? value : 0;
}

/** A file of lines `key value`. */
export function keyed(path: string): Map<string, number> {
  return new Map(
    text(path)
      .split("\n")
      .filter(Boolean)
      .map((line) => [line.split(" ")[0]!, Number(line.split(" ")[1] ?? 0)]),
  );
}

/** How many processes there are, and may be: 0 without a bound. */
export function pids(dirs: Dirs): { readonly current: number; readonly limit: number } {
  const dir = dirs("pids")?.dir ?? "";
  return { current: number(join(dir, "pids.current")), limit: number(join(dir, "pids.max")) };
}
