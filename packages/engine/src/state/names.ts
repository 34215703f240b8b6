// Which container holds a name: names/<name> is a symbolic link whose target is the id, so symlink(2) is the atomic claim.
// A container exists for everyone from the moment its claim exists; a claim whose container is gone is stale and is taken over.
import { linkSync, lstatSync, readdirSync, readlinkSync, renameSync, rmSync, symlinkSync, existsSync } from "node:fs";
import { join } from "node:path";
import { LapError, errorCode } from "@lapstrake/base";
import { containerDir } from "./record.ts";
import type { StorePaths } from "./layout.ts";
import { randomName } from "./ids.ts";
import { randomHex } from "./random.ts";
import { damaged } from "./read-stored.ts";

/** Claims `name` for `id`; throws `ERR_LAP_NAME_TAKEN` in Docker's words. The container's directory must exist already. */
export function claimName(paths: StorePaths, name: string, id: string): void {
  for (;;) {
    const holder = tryClaim(paths, name, id);
    if (holder === undefined) return;
    if (existsSync(containerDir(paths.containers, holder))) throw nameTaken(name, holder);
    dropStale(paths, name, holder);
  }
}

/** Claims a random free name and returns it. */
export function claimRandomName(paths: StorePaths, id: string, wanted: string): string {
  for (let attempt = 0, name = wanted; ; name = randomName(++attempt)) {
    try {
      claimName(paths, name, id);
      return name;
    } catch (error) {
      if (!(error instanceof LapError) || error.code !== "ERR_LAP_NAME_TAKEN") throw error;
    }
  }
}

/** The id that holds `name`, if any. */
export function nameHolder(paths: StorePaths, name: string): string | undefined {
  try {
    return readlinkSync(`${paths.names}/${name}`);
  } catch (error) {
    const code = errorCode(error);
    if (code === "ENOENT" || code === "EINVAL" || code === "ENAMETOOLONG") return undefined;
    throw error;
  }
}

/** Gives `name` back when `id` holds it. */
export function releaseName(paths: StorePaths, name: string, id: string): void {
  if (nameHolder(paths, name) === id) rmSync(join(paths.names, name), { force: true });
}

/** Every claim: name and id. */
export function listNames(paths: StorePaths): { readonly name: string; readonly id: string }[] {
  return readdirSync(paths.names).flatMap((name) => {
    const id = nameHolder(paths, name);
    return id === undefined ? [] : [{ name, id }];
  });
}

/** Undefined when claimed, else the present holder. */
function tryClaim(paths: StorePaths, name: string, id: string): string | undefined {
  try {
    symlinkSync(id, join(paths.names, name));
    return undefined;
  } catch (error) {
    if (errorCode(error) !== "EEXIST") throw error;
    const holder = nameHolder(paths, name);
    if (holder !== undefined) return holder;
    const path = join(paths.names, name);
    // Whatever it is, nobody frees it: only what went meanwhile is tried again.
    if (lstatSync(path, { throwIfNoEntry: false }) !== undefined) throw damaged("name", path);
    return tryClaim(paths, name, id);
  }
}

/** Moves a stale claim away. Another process may have taken over between look and move: then its claim is put back. */
function dropStale(paths: StorePaths, name: string, stale: string): void {
  const aside = join(paths.trash, `name-${randomHex(8)}`);
  try {
    renameSync(join(paths.names, name), aside);
  } catch (error) {
    if (errorCode(error) === "ENOENT") return;
    throw error;
  }
  if (readlinkSync(aside) !== stale) linkSync(aside, join(paths.names, name));
  rmSync(aside, { force: true });
}

function nameTaken(name: string, holder: string): LapError {
  return new LapError(
    "conflict",
    "ERR_LAP_NAME_TAKEN",
    `Conflict. The container name "/${name}" is already in use by container "${holder}". You have to remove (or rename) that container to be able to reuse that name.`,
  );
}
