// What a container changed: its upper as a layer tree, whichever sandbox wrote it, compared with the layers below.
import type { DirFs } from "@lapstrake/base";
import {
  StackView,
  emptyTree,
  mergeLayers,
  readUpper,
  treeChanges,
  type Change,
  type LayerTree,
} from "@lapstrake/layers";
import type { Engine } from "../engine.ts";
import { layerDirs, withDirs } from "../sandbox/rootfs.ts";
import { isRootless } from "../sandbox/rootless.ts";
import { isInMemory, wasmChanges, wasmLowers } from "../sandbox/wasm-layers.ts";
import type { ContainerRecord } from "../state/record.ts";
import { frozenDirs } from "../state/frozen.ts";
import type { StorePaths } from "../state/layout.ts";
import { toNormalForm } from "./normal-form.ts";
import { stackLayers } from "./stacked-upper.ts";

/** The list `docker diff` prints. */
export async function containerChanges(engine: Engine, record: ContainerRecord): Promise<Change[]> {
  const { context } = engine;
  const dir = engine.dir(record);
  if (record.kind === "wasm") {
    return treeChanges(await wasmUpper(engine, record), mergeLayers(await wasmLowers(context.paths.root, dir, record)));
  }
  if (record.storage === "vfs") return (await import("../sandbox/vfs.ts")).copiedChanges(context.paths, record);
  return withDirs(layerDirs(context.paths, record), (dirs) => {
    const [uppers, lowers] = splitDirs(context.paths, record, dirs);
    return treeChanges(readUppers(uppers), new StackView(lowers, overlayForm().overlayXattrs));
  });
}

/** Hands the upper as a layer tree to `use`; file contents are read while it runs. */
export async function withUpper<T>(
  engine: Engine,
  record: ContainerRecord,
  use: (tree: LayerTree) => Promise<T>,
): Promise<T> {
  if (record.kind === "wasm") return use(await wasmUpper(engine, record));
  if (record.storage === "vfs") {
    return (await import("../sandbox/vfs.ts")).withCopiedUpper(engine.context.paths, record, use);
  }
  const dirs: DirFs[] = [];
  try {
    const { openDirFs } = await import("@lapstrake/core");
    for (const path of layerDirs(engine.context.paths, record)) {
      dirs.push(openDirFs(path, { live: true, regularOnly: true }));
    }
    const [uppers, lowers] = splitDirs(engine.context.paths, record, dirs);
    return await use(toNormalForm(readUppers(uppers), new StackView(lowers, overlayForm().overlayXattrs)));
  } finally {
    for (const open of dirs) open.close();
  }
}

/** The container's own directories and its image's, both top first. */
function splitDirs(paths: StorePaths, record: ContainerRecord, dirs: readonly DirFs[]): [DirFs[], DirFs[]] {
  const own = 1 + frozenDirs(paths, record).length;
  return [dirs.slice(0, own), dirs.slice(own)];
}

/** All that a container changed of its image. */
function readUppers(uppers: readonly DirFs[]): LayerTree {
  const [lowest, ...others] = uppers.map((dir) => readUpper(dir, overlayForm())).toReversed();
  return others.reduce(stackLayers, lowest!);
}

/** Which attributes overlays of this user carry. */
function overlayForm(): { readonly overlayXattrs: "trusted" | "user" } {
  return { overlayXattrs: isRootless() ? "user" : "trusted" };
}

async function wasmUpper(engine: Engine, record: ContainerRecord): Promise<LayerTree> {
  if (isInMemory(record, engine.status(record).state)) {
    const { liveChanges } = await import("../sandbox/wasm-live.ts");
    return liveChanges(engine, record);
  }
  return wasmChanges(engine.dir(record)) ?? emptyTree();
}
