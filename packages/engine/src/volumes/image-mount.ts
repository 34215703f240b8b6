// --mount type=image: the layers of an image, or of a directory in it, as a read-only mount.
import { join } from "node:path";
import { LapError, parsePlatform, type DirFs } from "@lapstrake/base";
import type { EngineContext } from "../context.ts";
import { MergedView } from "../sandbox/merged-view.ts";
import { withDirs } from "../sandbox/rootfs.ts";
import { cleanTarget, invalidMount } from "./check-mount.ts";
import type { MountRequest, RecordMount } from "./types.ts";

/** The mount with the directories it is made of. Throws `ERR_LAP_NO_IMAGE`, `ERR_LAP_MOUNT_INVALID`. */
export async function imageMount(context: EngineContext, mount: MountRequest): Promise<RecordMount> {
  const images = await context.images();
  const image = images.resolveForRun(mount.source!, undefined);
  const platform = parsePlatform("linux");
  if (image.platform.os !== platform.os)
    throw invalidMount(mount, `"${mount.source}" is no image of a Linux filesystem`);
  const layers = await images.lowerdirs(image);
  return {
    type: "image",
    target: cleanTarget(mount.target),
    source: image.id,
    readOnly: true,
    mode: "",
    layers: mount.subpath === undefined ? layers : partsOf(context, layers, mount),
    ...(mount.subpath === undefined ? {} : { subpath: mount.subpath }),
  };
}

/** Where the parts of one directory of an image lie: each relative to the directory of all layers, top first. */
function partsOf(context: EngineContext, layers: readonly string[], mount: MountRequest): string[] {
  const { subpath = "" } = mount;
  const paths = layers.map((name) => join(context.paths.layers, name));
  return withDirs(paths, (dirs: readonly DirFs[]) => {
    const node = new MergedView(dirs).resolve(subpath);
    if (node === undefined) throw noSubpath(subpath);
    const parts = node.stat.type === "dir" ? node.dirs : [node.place];
    return parts.map(({ dir, path }) => join(layers[dirs.indexOf(dir)]!, path));
  });
}

function noSubpath(subpath: string): LapError {
  const text = `cannot access path ${subpath}: no such file or directory`;
  return new LapError("notFound", "ERR_LAP_MOUNT_INVALID", text);
}
