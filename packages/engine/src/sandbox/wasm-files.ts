// The files of a Wasm container that does not run: its layers with its changes over them, in memory; what is changed is handed over
// again, as after a run.
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { errorCode, type DirFs } from "@lapstrake/base";
import { UnionFs, dirFsOf, treeFromTar, type LayerTree } from "@lapstrake/layers";
import type { Engine } from "../engine.ts";
import { imageTrees } from "../images/trees.ts";
import type { ContainerRecord } from "../state/record.ts";
import { writeHandover } from "./handover-file.ts";
import { MODULE_FILE, handoverDir, handoverPath } from "./handover.ts";
import { moduleTree } from "./wasm-tree.ts";

/** Hands the files to `use` and keeps what it changed. Needs the container's lock. */
export async function withWasmFiles<T>(
  engine: Engine,
  record: ContainerRecord,
  use: (files: DirFs) => Promise<T>,
): Promise<T> {
  const dir = engine.dir(record);
  const fs = UnionFs.create(await lowers(engine, record));
  const earlier = earlierChanges(dir);
  if (earlier !== undefined) fs.adopt(earlier);
  const result = await use(dirFsOf(fs));
  mkdirSync(handoverDir(dir), { recursive: true, mode: 0o700 });
  writeHandover(fs, dir);
  return result;
}

async function lowers(engine: Engine, record: ContainerRecord): Promise<LayerTree[]> {
  if (record.rootfs.kind === "module") {
    return [moduleTree(record.rootfs.file, readFileSync(join(engine.dir(record), MODULE_FILE)))];
  }
  return imageTrees(engine.context.paths.root, record.image.id!);
}

function earlierChanges(dir: string): LayerTree | undefined {
  try {
    return treeFromTar(readFileSync(handoverPath(dir)));
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    throw error;
  }
}
