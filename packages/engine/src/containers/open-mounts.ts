// The volumes and folders of a container that does not run, opened: what a start would mount where.
import { realpathSync, statSync } from "node:fs";
import { basename, dirname } from "node:path";
import { toByteString } from "@lapstrake/base";
import { openDirFs } from "@lapstrake/core";
import type { StorePaths } from "../state/layout.ts";
import { mountSpecs } from "../volumes/mount-specs.ts";
import type { RecordMount } from "../volumes/types.ts";
import type { DirMount } from "./copy-mounted.ts";

/** Binds and volumes; a tmpfs is empty before a start, and an image mount is read-only and shown by the image itself. */
export function openMounts(paths: StorePaths, mounts: readonly RecordMount[]): DirMount[] {
  const shown = mounts.filter(({ type }) => type === "bind" || type === "volume");
  return mountSpecs(paths, shown).map(({ destination, source = "", options = [], beneath }) => ({
    at: toByteString(destination),
    readOnly: options.includes("ro") || options.includes("rro"),
    ...(beneath === undefined ? opened(source) : openedBeneath(beneath, source.slice(beneath.length + 1))),
  }));
}

function opened(source: string): Pick<DirMount, "dir" | "name"> {
  const path = realpathSync(source);
  if (statSync(path).isDirectory()) return { dir: openDirFs(path, { live: true, regularOnly: true }), name: "" };
  return { dir: openDirFs(dirname(path), { live: true, regularOnly: true }), name: toByteString(basename(path)) };
}

/** Without links, for another container may write there. */
function openedBeneath(base: string, subpath: string): Pick<DirMount, "dir" | "name"> {
  using volume = openDirFs(base, { live: true, regularOnly: true });
  const path = toByteString(subpath);
  if (volume.stat(path)?.type === "dir") return { dir: volume.openDir(path), name: "" };
  const slash = path.lastIndexOf("/");
  return { dir: volume.openDir(path.slice(0, Math.max(slash, 0))), name: path.slice(slash + 1) };
}
