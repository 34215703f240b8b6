// The files of a Wasm container that does not run: its layers with its changes over them, in memory; what is changed is handed over
// again, as after a run.
import { mkdirSync } from "node:fs";
import type { DirFs } from "@lapstrake/base";
import { UnionFs, dirFsOf } from "@lapstrake/layers";
import type { Engine } from "../engine.ts";
import type { ContainerRecord } from "../state/record.ts";
import { writeHandover } from "./handover-file.ts";
import { handoverDir } from "./handover.ts";
import { wasmChanges, wasmLowers } from "./wasm-layers.ts";

/** Hands the files to `use` and keeps what it changed. Needs the container's lock. */
export async function withWasmFiles<T>(
  engine: Engine,
  record: ContainerRecord,
  use: (files: DirFs) => Promise<T>,
): Promise<T> {
  const dir = engine.dir(record);
  const fs = UnionFs.create(await wasmLowers(engine.context.paths.root, dir, record));
  const earlier = wasmChanges(dir);
  if (earlier !== undefined) fs.adopt(earlier);
  const result = await use(dirFsOf(fs));
  mkdirSync(handoverDir(dir), { recursive: true, mode: 0o700 });
  writeHandover(fs, dir);
  return result;
}
