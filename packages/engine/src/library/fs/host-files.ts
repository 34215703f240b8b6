// The files of a container of this machine in the shape of node:fs, for one call, volumes included: the same files that `lap cp` sees.
import { nodeFs, type NodeFs } from "@lapstrake/layers";
import { DirInodes } from "@lapstrake/wasm";
import { withContainerFiles } from "../../containers/container-files.ts";
import { existsSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { join } from "node:path";
import type { Engine } from "../../engine.ts";
import type { BoxUsage } from "./box-fs.ts";
import type { ContainerRecord } from "../../state/record.ts";

/** Opens them, acts, closes them. Throws `ERR_LAP_FILES_ROOTLESS`, `ERR_LAP_OVERLAY_OLD`, `ERR_LAP_FILES_WASM`. */
export function withHostFiles<T>(
  engine: Engine,
  record: ContainerRecord,
  use: (fs: NodeFs) => T | Promise<T>,
): Promise<T> {
  return withContainerFiles(engine, record, (files) => use(nodeFs(new DirInodes(files))));
}

/** Of the filesystem that has what the container writes. */
export function hostUsage(engine: Engine, record: ContainerRecord): Promise<BoxUsage> {
  const dir = engine.dir(record);
  const upper = join(dir, "upper");
  return statfs(existsSync(upper) ? upper : dir);
}
