// `--storage-opt size=` for a Linux container (ADR 62). Where the store's filesystem keeps project quotas, its upper and work directories
// are a project with that bound. Else they lie in an ext4 image of that size, a sparse file in the container's directory, mounted on `disk`
// through a loop device when somebody first needs them, and until it is removed. The device clears itself when its last mount is gone
// (loop(4), LO_FLAGS_AUTOCLEAR), so nothing that dies leaves more than a mount.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { LapError, errorCode } from "@lapstrake/base";
import {
  boundProject,
  hasProjectQuota,
  lockFile,
  projectOf,
  setProject,
  unboundProject,
  unmountBeneath,
} from "@lapstrake/core";
import { storageBytes, storageError } from "../containers/storage-option.ts";
import type { ContainerRecord } from "../state/record.ts";
import { isRootless } from "./rootless.ts";

/** What ext4 and its journal need to be of use. */
const MIN_BYTES = 16 * 1024 * 1024;
const PLACE = "disk";
const IMAGE = "disk.img";
const LOOP_CONTROL = "/dev/loop-control";

/** True for a container whose changes have a filesystem of their own. */
export function hasSizedUpper({ kind, request }: ContainerRecord): boolean {
  return kind === "linux" && request.storageOptions !== undefined && storageBytes(request) !== undefined;
}

/** The directory that has a container's `upper` and `work`; mounts it. Throws `ERR_LAP_STORAGE_OPTION`. */
export function writableDir(dir: string, record: ContainerRecord): string {
  return hasDisk(dir, record) ? mountedDisk(dir) : dir;
}

/** The same by its name alone. */
export function writablePlace(dir: string, record: ContainerRecord): string {
  return hasDisk(dir, record) ? join(dir, PLACE) : dir;
}

function hasDisk(dir: string, record: ContainerRecord): boolean {
  return hasSizedUpper(record) && existsSync(join(dir, IMAGE));
}

/** Fills a new container's directory with a bound place; `fill` makes what is in it at first. */
export function makeBound(dir: string, bytes: number, fill: (place: string) => void): void {
  if (isRootless())
    throw storageError("a bound on what is written needs root: a quota, or a filesystem of its own", BOUND_TMPFS);
  if (!hasProjectQuota(dir)) return makeDisk(dir, bytes, fill);
  fill(dir);
  boundProject([join(dir, "upper"), join(dir, "work")], bytes);
}

/** A work directory that was made anew belongs to the upper's project, or nothing could be renamed between them. */
export function keepBound(dir: string): void {
  const project = projectOf(join(dir, "upper"));
  if (project !== 0) setProject(join(dir, "work"), project);
}

function makeDisk(dir: string, bytes: number, fill: (place: string) => void): void {
  if (bytes < MIN_BYTES) throw storageError("size must be 16m at least");
  if (!existsSync(LOOP_CONTROL))
    throw storageError(`size needs loop devices, and there is no ${LOOP_CONTROL}`, BOUND_TMPFS);
  const [place, image] = [join(dir, PLACE), join(dir, IMAGE)];
  mkdirSync(place, { mode: 0o700 });
  fill(place);
  writeFileSync(image, "", { mode: 0o600 });
  truncateSync(image, bytes);
  program("mkfs.ext4", ["-q", "-F", "-m", "0", "-E", "nodiscard", "-d", place, image]);
  // Nobody writes there while it is not mounted.
  rmSync(place, { recursive: true });
  mkdirSync(place, { mode: 0o700 });
}

/** Takes the bound or the mount away before the directory goes. */
export function dropBound(dir: string): void {
  if (existsSync(join(dir, "upper"))) unboundProject(join(dir, "upper"));
  if (existsSync(dir)) unmountBeneath(dir);
}

function mountedDisk(dir: string): string {
  const place = join(dir, PLACE);
  if (isMounted(dir, place)) return place;
  using _lock = lockFile(join(dir, "disk.lock"));
  // Freed blocks go back to the disk that has the image.
  if (!isMounted(dir, place)) program("mount", ["-t", "ext4", "-o", "loop,discard", join(dir, IMAGE), place]);
  return place;
}

function isMounted(dir: string, place: string): boolean {
  return statSync(dir).dev !== statSync(place).dev;
}

function program(name: string, args: readonly string[]): void {
  try {
    execFileSync(name, args, { stdio: ["ignore", "ignore", "pipe"], timeout: 60_000 });
  } catch (cause) {
    const why = errorCode(cause) === "ENOENT" ? "it is not installed" : String((cause as { stderr?: unknown }).stderr);
    throw new LapError("failedPrecondition", "ERR_LAP_STORAGE_OPTION", `${name}: ${why.trim()}`, {
      hint: `--storage-opt size needs ${name} and loop devices; ${BOUND_TMPFS}`,
      cause,
    });
  }
}

const BOUND_TMPFS = "bound a folder with --tmpfs FOLDER:size=…, and let the rest be --read-only";
