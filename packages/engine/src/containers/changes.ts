// What a container changed: its upper as a layer tree, whichever sandbox wrote it, compared with the layers below.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { DirFs } from "@lapstrake/base";
import {
  StackView,
  emptyTree,
  mergeLayers,
  readUpper,
  treeChanges,
  treeFromTar,
  type Change,
  type LayerTree,
} from "@lapstrake/layers";
import type { Engine } from "../engine.ts";
import { imageTrees } from "../images/trees.ts";
import { handoverPath, MODULE_FILE } from "../sandbox/handover.ts";
import { layerDirs, withDirs } from "../sandbox/rootfs.ts";
import { isRootless } from "../sandbox/rootless.ts";
import { moduleTree } from "../sandbox/wasm-tree.ts";
import type { ContainerRecord } from "../state/record.ts";
import { toNormalForm } from "./normal-form.ts";

/** The list `docker diff` prints. */
export async function containerChanges(engine: Engine, record: ContainerRecord): Promise<Change[]> {
  const { context } = engine;
  const dir = engine.dir(record);
  if (record.kind === "wasm") return treeChanges(wasmUpper(dir), mergeLayers(await wasmLowers(engine, record)));
  return withDirs(layerDirs(context.paths, record), ([upper, ...lowers]) =>
    treeChanges(readUpper(upper!, overlayForm()), new StackView(lowers, overlayForm().overlayXattrs)),
  );
}

/** Hands the upper as a layer tree to `use`; file contents are read while it runs. */
export async function withUpper<T>(
  engine: Engine,
  record: ContainerRecord,
  use: (tree: LayerTree) => Promise<T>,
): Promise<T> {
  const dir = engine.dir(record);
  if (record.kind === "wasm") return use(wasmUpper(dir));
  const dirs: DirFs[] = [];
  try {
    const { openDirFs } = await import("@lapstrake/core");
    for (const path of layerDirs(engine.context.paths, record)) dirs.push(openDirFs(path));
    const [upper, ...lowers] = dirs;
    const form = overlayForm();
    return await use(toNormalForm(readUpper(upper!, form), new StackView(lowers, form.overlayXattrs)));
  } finally {
    for (const open of dirs) open.close();
  }
}

/** Which attributes overlays of this user carry. */
function overlayForm(): { readonly overlayXattrs: "trusted" | "user" } {
  return { overlayXattrs: isRootless() ? "user" : "trusted" };
}

function wasmUpper(dir: string): LayerTree {
  const path = handoverPath(dir);
  return existsSync(path) ? treeFromTar(readFileSync(path)) : emptyTree();
}

async function wasmLowers(engine: Engine, record: ContainerRecord): Promise<LayerTree[]> {
  if (record.rootfs.kind === "module") {
    return [moduleTree(record.rootfs.file, readFileSync(join(engine.dir(record), MODULE_FILE)))];
  }
  return imageTrees(engine.context.paths.root, record.image.id!);
}
