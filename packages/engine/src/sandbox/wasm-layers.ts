// What the filesystem of a Wasm container is made of: the layers of its image or its bare module, and what earlier runs changed.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { errorCode } from "@lapstrake/base";
import { treeFromTar, type LayerTree } from "@lapstrake/layers";
import type { ContainerRecord } from "../state/record.ts";
import { handoverPath, MODULE_FILE } from "./handover.ts";
import { moduleTree } from "./wasm-tree.ts";

/** Layers lowest first; `root` is the store's folder, `dir` the container's. Throws `ERR_LAP_NO_IMAGE` when its image is gone. */
export async function wasmLowers(root: string, dir: string, { rootfs, image }: ContainerRecord): Promise<LayerTree[]> {
  if (rootfs.kind === "module") return [moduleTree(rootfs.file, readFileSync(join(dir, MODULE_FILE)))];
  // Loaded here: a bare module needs no image store.
  const { imageTrees } = await import("../images/trees.ts");
  return imageTrees(root, image.id!);
}

/** True while what a Wasm container changes is in its payload's memory; one whose root is read-only changes nothing. */
export function isInMemory({ kind, request }: ContainerRecord, state: string): boolean {
  return kind === "wasm" && request.readonlyRootfs !== true && (state === "running" || state === "paused");
}

/** What earlier runs of the container in `dir` handed over; undefined before the first end. */
export function wasmChanges(dir: string): LayerTree | undefined {
  try {
    return treeFromTar(readFileSync(handoverPath(dir)));
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    throw error;
  }
}
