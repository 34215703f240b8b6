// RecordMounts -> mounts of the runtime specification (config.md "Mounts"): where each volume lies, and what docker's words mean to
// the kernel. Loaded only for containers that have mounts.
import { mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { LapError, errorCode, fromByteString, toByteString, type MountSpec } from "@lapstrake/base";
import { openDirFs } from "@lapstrake/core";
import type { StorePaths } from "../state/layout.ts";
import { byDepth } from "./by-depth.ts";
import { deviceOf, isReadOnlyDevice } from "./local-options.ts";
import type { RecordMount } from "./types.ts";
import { findVolume, volumeData } from "./volume-store.ts";

/** The mounts of a container, parents before what is mounted in them. Makes missing sources of `-v`. */
export function mountSpecs(paths: StorePaths, mounts: readonly RecordMount[]): MountSpec[] {
  return byDepth(mounts).map((mount) => ({ destination: mount.target, ...SPECS[mount.type](paths, mount) }));
}

type Source = Omit<MountSpec, "destination">;

const SPECS: Readonly<Record<RecordMount["type"], (paths: StorePaths, mount: RecordMount) => Source>> = {
  tmpfs: (_paths, { options = [] }) => ({ type: "tmpfs", source: "tmpfs", options: [...options] }),
  bind: (_paths, mount) => bindSpec(bindSource(mount), mount),
  volume: (paths, mount) => volumeSpec(paths, mount),
  image: (paths, mount) => imageSpec(paths, mount),
};

function bindSpec(source: string, mount: RecordMount, readOnly: boolean = mount.readOnly): Source {
  const { recursive = "enabled", propagation = "rprivate", idmap } = mount;
  const words = [recursive === "disabled" ? "bind" : "rbind"];
  if (readOnly) words.push(recursive === "writable" || recursive === "disabled" ? "ro" : "rro");
  if (idmap === true) words.push("idmap");
  return { type: "bind", source, options: [...words, propagation] };
}

/** As docker: a missing source of -v becomes a directory, one of --mount is an error. */
function bindSource({ source, createSource, target }: RecordMount): string {
  try {
    statSync(source);
  } catch (error) {
    if (errorCode(error) !== "ENOENT") throw error;
    if (createSource !== true) {
      const text = `invalid mount config for type "bind": bind source path does not exist: ${source}`;
      throw new LapError("invalidArgument", "ERR_LAP_MOUNT_INVALID", text, {
        hint: `it is to be mounted at ${target}`,
      });
    }
    mkdirSync(source, { recursive: true, mode: 0o755 });
  }
  return source;
}

function volumeSpec(paths: StorePaths, mount: RecordMount): Source {
  const volume = findVolume(paths, mount.source);
  const base = deviceOf(volume) ?? volumeData(paths, volume.name);
  const source = withSubpath(base, mount);
  const spec = bindSpec(source, mount, mount.readOnly || isReadOnlyDevice(volume));
  return source === base ? spec : { ...spec, beneath: base };
}

/** A path beneath a volume, of which no part is a link now; whoever opens it asks again, for another container may write there. */
function withSubpath(base: string, { subpath }: RecordMount): string {
  if (subpath === undefined) return base;
  using dir = openDirFs(base, { live: true });
  const found = dir.stat(toByteString(subpath));
  if (found !== undefined && found.type !== "symlink") return join(base, subpath).replace(/\/+$/, "");
  const text = `cannot access path ${join(base, subpath)}: lstat ${fromByteString(subpath)}: no such file or directory`;
  throw new LapError("notFound", "ERR_LAP_MOUNT_INVALID", text);
}

/** A read-only overlay of the layers; a single directory or file is bound. */
function imageSpec(paths: StorePaths, { layers = [] }: RecordMount): Source {
  const dirs = layers.map((name) => join(paths.layers, name));
  if (dirs.length === 1) return { type: "bind", source: dirs[0]!, options: ["rbind", "rro", "rprivate"] };
  return { type: "overlay", source: "overlay", options: ["ro", ...dirs.map((dir) => `lowerdir+=${dir}`)] };
}
