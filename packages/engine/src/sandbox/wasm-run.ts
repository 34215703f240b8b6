// A Wasm container's run: record -> union filesystem of layers and earlier changes -> guest -> changes handed over.
// It runs without privileges in a container that shows the image blobs and its own directory; what it leaves is one layer tar.
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from "node:fs";
import { join } from "node:path";
import { LapError, errorCode } from "@lapstrake/base";
import { UnionFs, treeFromTar, writeTar, type InodeFs, type LayerTree } from "@lapstrake/layers";
import { runCommand, type Payload } from "@lapstrake/wasm/node";
import { readRecord, type ContainerRecord } from "../state/record.ts";
import { handoverPath, MODULE_FILE, translationsDir } from "./handover.ts";
import { filesystemLimit, guestLimits } from "./wasm-limits.ts";
import { makeDirs, moduleTree } from "./wasm-tree.ts";

/** Where the container and its store are. */
export interface WasmRunData {
  readonly dir: string;
  readonly root: string;
}

const EXIT_NOT_FOUND = 127;
const EXIT_NOT_EXECUTABLE = 126;

/** Runs the container's guest to its end and hands its changes over; resolves to the exit code. */
export async function runContainer(payload: Payload): Promise<number> {
  const { dir, root } = payload.data as WasmRunData;
  const record = readRecord(dir);
  if (record === undefined) throw new LapError("notFound", "ERR_LAP_NO_CONTAINER", `no container in "${dir}"`);
  const fs = await openUnion(root, dir, record);
  try {
    return await runGuest(fs, record, payload, cacheIn(root));
  } finally {
    if (!record.autoRemove && !fs.readOnly) handOver(fs, dir);
  }
}

/** The container's filesystem: its layers, what it changed in earlier runs, and its working directory. */
async function openUnion(root: string, dir: string, record: ContainerRecord): Promise<UnionFs> {
  const lowers = await lowerTrees(root, dir, record);
  const maxBytes = filesystemLimit(record.request);
  const fs = UnionFs.create(lowers, maxBytes === undefined ? {} : { maxBytes });
  const earlier = readEarlier(dir);
  if (earlier !== undefined) fs.adopt(earlier);
  for (const path of mountPoints(record)) makeDirs(fs, path);
  if (record.request.readonlyRootfs !== true) return fs;
  return UnionFs.create([...lowers, fs.freeze()], { readOnly: true });
}

async function lowerTrees(root: string, dir: string, record: ContainerRecord): Promise<LayerTree[]> {
  if (record.rootfs.kind === "module") {
    return [moduleTree(record.rootfs.file, readFileSync(join(dir, MODULE_FILE)))];
  }
  // Loaded here: a bare module needs no image store.
  const { imageTrees } = await import("../images/trees.ts");
  return imageTrees(root, record.image.id!);
}

/** Changes of an earlier run of this container. */
function readEarlier(dir: string): LayerTree | undefined {
  try {
    return treeFromTar(readFileSync(handoverPath(dir)));
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

/** Where translations are; without one the payload translates for itself. */
function cacheIn(root: string): string | undefined {
  const dir = translationsDir(root);
  return existsSync(dir) ? dir : undefined;
}

async function runGuest(
  fs: UnionFs,
  record: ContainerRecord,
  payload: Payload,
  cacheDir: string | undefined,
): Promise<number> {
  const { process, request } = record;
  try {
    const exit = await runCommand({
      fs: await withVolumes(fs, record),
      args: process.args,
      env: Object.fromEntries(process.env.map(splitEnv)),
      cwd: process.cwd,
      stdin: payload.stdin,
      stdout: payload.stdout,
      stderr: payload.stderr,
      interrupt: payload.interrupt,
      breakOnSigint: true,
      cacheDir,
      limits: guestLimits(request),
    });
    if (exit.error !== undefined) say(payload, exit.error.message);
    return exit.exitCode;
  } catch (error) {
    if (!(error instanceof LapError)) throw error;
    say(payload, error.hint === undefined ? error.message : `${error.message} (${error.hint})`);
    return error.kind === "notFound" ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE;
  }
}

/** Directories that docker would make: of volumes, and the working directory. */
function mountPoints({ process, mounts = [] }: ContainerRecord): string[] {
  return [process.cwd, ...mounts.map(({ target }) => target)];
}

async function withVolumes(fs: UnionFs, record: ContainerRecord): Promise<InodeFs> {
  if (record.mounts === undefined) return fs;
  const { mountVolumes } = await import("./wasm-volumes.ts");
  return mountVolumes(fs, record);
}

function splitEnv(line: string): [string, string] {
  const at = line.indexOf("=");
  return [line.slice(0, at), line.slice(at + 1)];
}

function say(payload: Payload, text: string): void {
  const bytes = new TextEncoder().encode(`lap: ${text}\n`);
  for (let done = 0; done < bytes.length;) done += payload.stderr.write(bytes, done, bytes.length - done);
}

/** Writes the changes as one layer; the file appears whole or not at all. */
function handOver(fs: UnionFs, dir: string): void {
  const path = handoverPath(dir);
  const fd = openSync(`${path}.new`, "w", 0o600);
  try {
    for (const chunk of writeTar(fs.diffEntries())) {
      for (let done = 0; done < chunk.length;) done += writeSync(fd, chunk, done);
    }
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  renameSync(`${path}.new`, path);
}
