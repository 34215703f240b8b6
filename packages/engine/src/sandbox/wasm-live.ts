// The files of a Wasm container that runs: its guest is held inside one of its host calls, what it changed comes out as a layer, and what
// is changed here goes back as one.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { LapError, type DirFs, type RuntimeSpec } from "@lapstrake/base";
import { UnionFs, dirFsOf, emptyTree, treeFromTar, writeTar, type LayerTree } from "@lapstrake/layers";
import { LiveFiles } from "@lapstrake/wasm/node";
import { SPEC_FILE } from "../containers/bundle.ts";
import type { Engine } from "../engine.ts";
import type { ContainerRecord } from "../state/record.ts";
import { execSocket } from "./handover.ts";
import { wasmChanges, wasmLowers } from "./wasm-layers.ts";
import { ALONE_FLAG } from "./wasm-payload.ts";

/** A payload listens well within this, on a busy machine too; one that has ended is not waited for. */
const STARTING_MS = 60_000;

/** What the guest has changed by now. Throws as {@link withLiveWasmFiles}. */
export async function liveChanges(engine: Engine, record: ContainerRecord): Promise<LayerTree> {
  return treeFromTar(await liveTar(engine, record));
}

/** The same as a tar. */
export async function liveTar(engine: Engine, record: ContainerRecord): Promise<Uint8Array> {
  using live = await openLive(engine, record);
  return live.tar;
}

/**
 * Hands the files to `use` while the guest waits, and puts what was changed over the guest's. Throws `ERR_LAP_FILES_WASM` for a
 * container that cannot let anybody in, `ERR_LAP_FILES_BUSY` when its guest makes no call, `ERR_LAP_PAUSED`, `ERR_LAP_NOT_RUNNING`.
 */
export async function withLiveWasmFiles<T>(
  engine: Engine,
  record: ContainerRecord,
  use: (files: DirFs) => Promise<T>,
): Promise<T> {
  const dir = engine.dir(record);
  const lowers = await wasmLowers(engine.context.paths.root, dir, record);
  // A root that is read-only has no other changes than those of earlier runs.
  if (record.request.readonlyRootfs === true) {
    return await use(dirFsOf(UnionFs.create([...lowers, wasmChanges(dir) ?? emptyTree()], { readOnly: true })));
  }
  using live = await openLive(engine, record);
  const fs = UnionFs.create([...lowers, treeFromTar(live.tar)]);
  const result = await use(dirFsOf(fs));
  if (fs.changes().length > 0) await live.put(writeTar(fs.diffEntries()));
  return result;
}

async function openLive(engine: Engine, record: ContainerRecord): Promise<LiveFiles> {
  if (engine.status(record).state === "paused") throw paused(record);
  const dir = engine.dir(record);
  if (isAlone(dir)) throw alone();
  return LiveFiles.open(execSocket(dir), {
    startMs: STARTING_MS,
    isThere: () => engine.status(record).state === "running",
  });
}

function isAlone(dir: string): boolean {
  const { process } = JSON.parse(readFileSync(join(dir, SPEC_FILE), "utf8")) as RuntimeSpec;
  return process?.args?.includes(ALONE_FLAG) === true;
}

function alone(): LapError {
  const message = "this Wasm container lets nobody at its files: it was started in the foreground with --rm";
  return new LapError("unimplemented", "ERR_LAP_FILES_WASM", message, {
    hint: "start it with -d or without --rm, or share a volume with it",
  });
}

function paused({ id }: ContainerRecord): LapError {
  return new LapError("conflict", "ERR_LAP_PAUSED", `Container ${id} is paused. Unpause the container first`);
}
