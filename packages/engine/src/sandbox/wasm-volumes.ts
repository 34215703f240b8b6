// Volumes and tmpfs of a Wasm container, as its guest sees them: through calls that resolve beneath a descriptor and follow no
// link. Loaded by containers that have some only: the calls need core.
import { statSync } from "node:fs";
import { basename, dirname } from "node:path";
import { parseSize, toByteString } from "@lapstrake/base";
import { openDirFs } from "@lapstrake/core";
import { UnionFs, type InodeFs } from "@lapstrake/layers";
import { DirInodes, MountFs, type Mount } from "@lapstrake/wasm";
import { byDepth } from "../volumes/by-depth.ts";
import type { RecordMount } from "../volumes/types.ts";
import type { ContainerRecord } from "../state/record.ts";
import { volumePlace } from "./handover.ts";
import { makeDirs, makeFile } from "./wasm-tree.ts";

/** What docker makes where something is mounted: a directory, or an empty file for a file. */
export function makeMountPoints(fs: UnionFs, mounts: readonly RecordMount[]): void {
  const sorted = byDepth(mounts);
  const places = sorted.filter(({ type }) => type !== "tmpfs");
  for (const mount of sorted) {
    const isFile = mount.type !== "tmpfs" && !statSync(volumePlace(places.indexOf(mount))).isDirectory();
    if (isFile) makeFile(fs, mount.target);
    else makeDirs(fs, mount.target);
  }
}

/** The guest's filesystem with its volumes, on directories that exist. */
export function mountVolumes(fs: UnionFs, { mounts = [] }: ContainerRecord): InodeFs {
  const sorted = byDepth(mounts);
  // The places are numbered as the bundle numbered them.
  const places = sorted.filter(({ type }) => type !== "tmpfs");
  return new MountFs(
    fs,
    sorted.map((mount) => (mount.type === "tmpfs" ? tmpfs(mount) : openVolume(mount, places.indexOf(mount)))),
  );
}

function tmpfs({ target, options = [] }: RecordMount): Mount {
  return { path: toByteString(target), fs: UnionFs.create([], tmpfsOptions(options)) };
}

/** `size=64m`, `ro`; options that only a kernel's tmpfs has mean nothing here. */
function tmpfsOptions(words: readonly string[]): { maxBytes?: number; readOnly?: boolean } {
  const size = words.find((word) => word.startsWith("size="))?.slice("size=".length);
  return {
    ...(size === undefined ? {} : { maxBytes: parseSize(size) }),
    ...(words.includes("ro") ? { readOnly: true } : {}),
  };
}

/** A folder, or a single file: that is one name of the folder in which the sandbox has its volumes. */
function openVolume({ target, readOnly }: RecordMount, index: number): Mount {
  const place = volumePlace(index);
  const path = toByteString(target);
  if (statSync(place).isDirectory()) {
    return { path, fs: new DirInodes(openDirFs(place, { live: true }), { readOnly }) };
  }
  const only = toByteString(basename(place));
  return { path, fs: new DirInodes(openDirFs(dirname(place), { live: true }), { readOnly, only }) };
}
