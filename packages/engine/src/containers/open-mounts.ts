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
  return mountSpecs(paths, shown).map(({ destination, source = "", options = [] }) => ({
    at: toByteString(destination),
    readOnly: options.includes("ro") || options.includes("rro"),
    ...opened(source),
  }));
}

function opened(source: string): Pick<DirMount, "dir" | "name"> {
  const path = realpathSync(source);
  if (statSync(path).isDirectory()) return { dir: openDirFs(path, { live: true, regularOnly: true }), name: "" };
  return { dir: openDirFs(dirname(path), { live: true, regularOnly: true }), name: toByteString(basename(path)) };
}
