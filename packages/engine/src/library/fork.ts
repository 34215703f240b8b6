// Forking a container. One that does not run gives its upper away: it becomes a read-only directory beneath the fresh uppers of both,
// so the cost does not know how much was written. A running one is paused and its upper copied, by reflink where the filesystem can.
import { existsSync, linkSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { control, type Control } from "@lapstrake/core";
import { LapError, isLapError } from "@lapstrake/base";
import { lockedIn } from "../containers/lock.ts";
import type { CreateRequest } from "../containers/request.ts";
import type { Engine } from "../engine.ts";
import { copyTreeAside } from "../sandbox/copy-tree.ts";
import { handoverDir, handoverPath } from "../sandbox/handover.ts";
import { copyRootMetadata } from "../sandbox/rootfs.ts";
import { isInMemory } from "../sandbox/wasm-layers.ts";
import { hasSizedUpper } from "../sandbox/sized-upper.ts";
import { frozenDir, frozenDirs, lockFrozen } from "../state/frozen.ts";
import type { StorePaths } from "../state/layout.ts";
import { randomHex } from "../state/random.ts";
import { readRecord, writeRecord, type ContainerRecord } from "../state/record.ts";
import { removeFromTrash } from "../state/trash.ts";

/** overlayfs takes 500 layers; the image's come beside these. */
const MAX_DEPTH = 250;

/** How the new container is meant. */
export interface ForkRequest {
  readonly name?: string;
  /** Held by this process, or by the one with this pid. */
  readonly held: boolean | number;
  readonly signal?: AbortSignal;
}

/** Both containers as they are recorded now. */
export interface Forked {
  readonly original: ContainerRecord;
  readonly record: ContainerRecord;
}

/** Makes a container that begins with the files `original` has now; nothing runs in it yet. Volumes are not part of it. */
export async function forkContainer(engine: Engine, original: ContainerRecord, request: ForkRequest): Promise<Forked> {
  request.signal?.throwIfAborted();
  const { state } = engine.status(original);
  if (hasSizedUpper(original)) throw boundFork(original);
  if (original.kind === "wasm") return forkWasm(engine, original, request);
  return isAlive(state) || original.storage === "vfs"
    ? forkCopied(engine, original, request, state)
    : forkStopped(engine, original, request);
}

/** Its files are in a filesystem of its own, which cannot be put beneath two. */
function boundFork({ name }: ContainerRecord): LapError {
  const message = `${name} has a bound on what it writes, and cannot be forked`;
  return new LapError("unimplemented", "ERR_LAP_FORK_STORAGE", message, {
    hint: "take a snapshot and go on from a box of that",
  });
}

function isAlive(state: string): boolean {
  return state === "running" || state === "paused";
}

async function forkStopped(engine: Engine, original: ContainerRecord, request: ForkRequest): Promise<Forked> {
  const frozen = await freeze(engine, original);
  if (frozen === undefined) return forkContainer(engine, original, request);
  const record = await createFork(engine, frozen, request, () => undefined);
  await requireFrozen(engine, record);
  return { original: frozen, record };
}

/** The upper becomes frozen; an empty one need not. Recorded before it is moved: see `frozenDirs`. Undefined when it was started meanwhile. */
async function freeze(engine: Engine, known: ContainerRecord): Promise<ContainerRecord | undefined> {
  const { paths } = engine.context;
  const dir = engine.dir(known);
  using _lock = await lockedIn(dir, known);
  if (isAlive(engine.status(known).state)) return undefined;
  const original = withoutMissing(paths, readRecord(dir) ?? known);
  const upper = join(dir, "upper");
  // One that broke off between the moves below left no upper: the next start makes it.
  if (!existsSync(upper) || readdirSync(upper).length === 0) return original;
  if ((original.frozen?.length ?? 0) >= MAX_DEPTH) throw tooDeep(original);
  const name = randomHex(32);
  const frozen = { ...original, frozen: [name, ...(original.frozen ?? [])] };
  mkdirSync(join(paths.root, "frozen"), { recursive: true, mode: 0o700 });
  writeRecord(dir, frozen);
  renameSync(upper, frozenDir(paths, name));
  mkdirSync(upper, { mode: 0o755 });
  copyRootMetadata(dir, frozenDir(paths, name));
  return frozen;
}

/** What was recorded as frozen, and then not moved. */
function withoutMissing(paths: StorePaths, record: ContainerRecord): ContainerRecord {
  if (record.frozen === undefined) return record;
  return { ...record, frozen: record.frozen.filter((name) => existsSync(frozenDir(paths, name))) };
}

function tooDeep({ name }: ContainerRecord): LapError {
  const message = `${name} comes from ${MAX_DEPTH} forks, each of which wrote something`;
  return new LapError("resourceExhausted", "ERR_LAP_FORK_DEPTH", message, {
    hint: "take a snapshot and go on from a box of that",
  });
}

/** The original, and with it what was frozen, may have been removed before the fork was public. */
async function requireFrozen(engine: Engine, record: ContainerRecord): Promise<void> {
  const { paths } = engine.context;
  {
    using _lock = lockFrozen(paths);
    if (frozenDirs(paths, record).length === (record.frozen ?? []).length) return;
  }
  await engine.remove(record, { force: true });
  throw new LapError("notFound", "ERR_LAP_NO_CONTAINER", "the container was removed while it was being forked");
}

/** What it has of its own: its upper, or its whole root. */
function filesOf({ storage }: ContainerRecord): string {
  return storage === "vfs" ? "rootfs" : "upper";
}

async function forkCopied(
  engine: Engine,
  original: ContainerRecord,
  request: ForkRequest,
  state: string,
): Promise<Forked> {
  const aside = join(engine.context.paths.trash, `fork-${randomHex(8)}`);
  try {
    if (isAlive(state)) await copyPaused(engine, original, aside, state === "paused", request.signal);
    else await copyStopped(engine, original, aside, request.signal);
    const record = await createFork(engine, original, request, (dir) => {
      rmSync(join(dir, filesOf(original)), { recursive: true, force: true });
      renameSync(aside, join(dir, filesOf(original)));
    });
    await requireFrozen(engine, record);
    return { original, record };
  } finally {
    removeFromTrash(engine.context.paths, basename(aside));
  }
}

async function copyPaused(
  engine: Engine,
  original: ContainerRecord,
  to: string,
  wasPaused: boolean,
  signal: AbortSignal | undefined,
): Promise<void> {
  await using connection = await control(engine.dir(original));
  if (!wasPaused) await pause(connection);
  try {
    await copyFiles(engine, original, to, signal);
  } finally {
    if (!wasPaused) await connection.resume();
  }
}

/** Nobody starts it meanwhile. */
async function copyStopped(
  engine: Engine,
  original: ContainerRecord,
  to: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  using _lock = await lockedIn(engine.dir(original), original);
  await copyFiles(engine, original, to, signal);
}

/** The files it has now. Throws `ERR_LAP_COPY_TREE`. */
async function copyFiles(
  engine: Engine,
  original: ContainerRecord,
  to: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const from = join(engine.dir(original), filesOf(original));
  const hint =
    original.storage === "vfs"
      ? "the storage driver vfs copies all files of a container for a fork"
      : "stop the container first: then a fork copies nothing";
  await copyTreeAside(from, to, hint, signal);
}

/** What goes on writing cannot be copied as it was at one moment. */
async function pause(connection: Control): Promise<void> {
  try {
    await connection.pauseHeld();
  } catch (cause) {
    if (!isLapError(cause) || cause.code !== "ERR_LAP_NO_FREEZER") throw cause;
    throw new LapError("failedPrecondition", cause.code, `a running container cannot be forked: ${cause.message}`, {
      hint: "stop it first, or have a cgroup v2 subtree delegated",
      cause,
    });
  }
}

async function forkWasm(engine: Engine, original: ContainerRecord, request: ForkRequest): Promise<Forked> {
  // What a guest changed is in its payload's memory while it runs.
  const live = isInMemory(original, engine.status(original).state)
    ? await (await import("../sandbox/wasm-live.ts")).liveTar(engine, original)
    : undefined;
  const changes = handoverPath(engine.dir(original));
  const record = await createFork(engine, original, request, (dir) => {
    if (live === undefined && !existsSync(changes)) return;
    mkdirSync(handoverDir(dir), { mode: 0o700 });
    if (live !== undefined) return writeFileSync(handoverPath(dir), live, { mode: 0o600 });
    // Replaced by rename, never written in place: both may have the same file.
    linkSync(changes, handoverPath(dir));
  });
  return { original, record };
}

function createFork(
  engine: Engine,
  original: ContainerRecord,
  { name, held }: ForkRequest,
  fill: (dir: string) => void,
): Promise<ContainerRecord> {
  const fork = { imageName: original.image.name, frozen: original.frozen ?? [], storage: original.storage, fill };
  return engine.create(forkedRequest(engine, original, name), { held, fork });
}

/** The original's request without what only one can have: its name, its addresses, its fixed ports. */
function forkedRequest(engine: Engine, original: ContainerRecord, name: string | undefined): CreateRequest {
  const { name: _name, attachments, ports, ...same } = original.request;
  const module = original.rootfs.kind === "module" ? join(engine.dir(original), "module.wasm") : undefined;
  return {
    ...same,
    image: original.image.id ?? module ?? same.image,
    autoRemove: false,
    ...(name === undefined ? {} : { name }),
    ...(ports === undefined ? {} : { ports: ports.map((port) => ({ ...port, hostPorts: [0, 0] as const })) }),
    ...(attachments === undefined ? {} : { attachments: withoutAddresses(attachments) }),
  };
}

function withoutAddresses(
  attachments: NonNullable<CreateRequest["attachments"]>,
): NonNullable<CreateRequest["attachments"]> {
  return Object.fromEntries(
    Object.entries(attachments).map(([network, { aliases }]) => [network, aliases === undefined ? {} : { aliases }]),
  );
}
