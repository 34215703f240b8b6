// CreateRequest -> ContainerRecord, by phases: the request is checked, the image resolved (source.ts), the parts prepared
// (create-parts.ts), the record written and the container made public. Nothing runs yet.
import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { LapError, formatTimestamp } from "@lapstrake/base";
import type { EngineContext } from "../context.ts";
import { emitContainer } from "../events/emit.ts";
import { MODULE_FILE } from "../sandbox/handover.ts";
import { prepareContainerDirs } from "../sandbox/rootfs.ts";
import { addContainer, findContainer } from "../state/containers.ts";
import { checkContainerName, newContainerId, randomName, shortId } from "../state/ids.ts";
import type { ContainerRecord } from "../state/record.ts";
import type { PreparedMounts } from "../volumes/prepare.ts";
import { checkForKind, checkedRequest } from "./check-create.ts";
import { healthOf, prepareMounts, readSecrets, resolveNetworks, runtimeOf, storageOf } from "./create-parts.ts";
import { processOf, thisProcess } from "./creator.ts";
import { settledStatus } from "./list.ts";
import { writeManagedFiles } from "./managed-files.ts";
import { recordProcess } from "./process.ts";
import type { CreateRequest } from "./request.ts";
import { resolveSource, type Source } from "./source.ts";

/** How a container is meant. */
export interface CreateOptions {
  /** Made to be started at once by this process; with autoRemove it does not outlive a creator that dies before the start. */
  readonly transient?: boolean;
  /** This process, or the one with this pid, holds it: it does not outlive the process, however that ends. */
  readonly held?: boolean | number;
  /** It begins as what another one is now: see library/fork.ts. */
  readonly fork?: ForkSource;
}

/** Where a fork comes from. */
export interface ForkSource {
  /** As the original names its image; the request has the id, because names move. */
  readonly imageName: string;
  readonly frozen: readonly string[];
  /** As the original's. */
  readonly storage: ContainerRecord["storage"];
  /** Fills the new container's directory, which is not in its place yet. */
  readonly fill: (dir: string) => void;
}

/** Makes a container. Throws `ERR_LAP_NO_IMAGE`, `ERR_LAP_NAME_TAKEN`, and what the request's fields can be wrong about. */
export async function createContainer(
  context: EngineContext,
  asked: CreateRequest,
  options: CreateOptions = {},
): Promise<ContainerRecord> {
  const request = await checkedRequest(asked);
  if (request.name !== undefined) checkContainerName(request.name);
  const source = await resolveSource(context, request);
  checkForKind(request, source);
  const parts = await prepareParts(context, request, source, options);
  const record = newRecord(context, request, source, parts, options);
  const made = await publish(context, record, parts.mounts, (dir) =>
    fill(context, dir, record, source, parts, options),
  );
  emitContainer(context, made, "create");
  return made;
}

/** What is prepared before there is a directory. */
interface Parts {
  readonly mounts: PreparedMounts | undefined;
  readonly keepSecrets: ((dir: string) => void) | undefined;
  /** Makes the root of a container that is a copy. */
  readonly copy: Awaited<ReturnType<typeof storageOf>>;
  /** The network as it is called now, where it was named otherwise. */
  readonly network: string | undefined;
  readonly fields: Partial<ContainerRecord>;
}

async function prepareParts(
  context: EngineContext,
  request: CreateRequest,
  source: Source,
  { fork }: CreateOptions,
): Promise<Parts> {
  const { networks, network } = await resolveNetworks(context, request, source.kind);
  const mounts = await prepareMounts(context, request, source);
  const keepSecrets = await readSecrets(request);
  const copy = fork === undefined ? await storageOf(context, request, source) : undefined;
  const storage = fork === undefined ? copy && "vfs" : fork.storage;
  const fields = {
    ...(await runtimeOf(request, source)),
    ...(storage === undefined ? {} : { storage }),
    ...(networks === undefined ? {} : { networks }),
    ...(await healthOf(request, source.config)),
    ...(mounts === undefined ? {} : { mounts: mounts.mounts }),
  };
  return { mounts, keepSecrets, copy, network, fields };
}

function newRecord(
  context: EngineContext,
  request: CreateRequest,
  source: Source,
  { network, fields }: Parts,
  options: CreateOptions,
): ContainerRecord {
  const id = newContainerId();
  const hasHostName = request.network === "host" || request.uts === "host";
  const hostname = hasHostName ? context.hostname() : (request.hostname ?? shortId(id));
  const now = context.clock.now();
  return {
    version: 1,
    id,
    name: request.name === undefined ? randomName(0) : checkContainerName(request.name),
    createdAt: formatTimestamp(now.sec, now.nsec),
    kind: source.kind,
    image: {
      name: options.fork?.imageName ?? request.image,
      id: source.imageId,
      labels: source.config.Labels ?? {},
      ...exposed(source),
    },
    rootfs: source.rootfs,
    process: recordProcess(request, source.config, hostname),
    hostname: request.hostname ?? hostname,
    autoRemove: request.autoRemove ?? false,
    ...(options.transient === true && request.autoRemove === true ? { creator: thisProcess() } : {}),
    ...holderOf(options.held),
    ...(options.fork === undefined ? {} : { frozen: options.fork.frozen }),
    ...fields,
    request: network === undefined ? request : { ...request, network },
  };
}

/** Fills the new directory, which is not in its place yet. */
function fill(
  { paths }: EngineContext,
  dir: string,
  record: ContainerRecord,
  { moduleFile }: Source,
  { copy, keepSecrets }: Parts,
  { fork }: CreateOptions,
): void {
  if (record.kind === "linux") prepareContainerDirs(paths, record, dir);
  copy?.(paths, record, dir);
  if (moduleFile !== undefined) copyFileSync(moduleFile, join(dir, MODULE_FILE));
  writeManagedFiles(dir, record.hostname, record.request);
  keepSecrets?.(dir);
  fork?.fill(dir);
}

/** The container appears, with its name; its volumes with it. */
async function publish(
  context: EngineContext,
  record: ContainerRecord,
  mounts: PreparedMounts | undefined,
  prepare: (dir: string) => void,
): Promise<ContainerRecord> {
  const isNamed = record.request.name !== undefined;
  const add = (): ContainerRecord => addContainer(context.paths, record, isNamed, prepare);
  const tryOnce = async (): Promise<ContainerRecord> => (mounts === undefined ? add() : mounts.commit(add));
  try {
    return await tryOnce();
  } catch (error) {
    if (!isNamed || !holderIsGone(context, error, record.name)) throw error;
    return await tryOnce();
  }
}

function holderOf(held: CreateOptions["held"]): Pick<ContainerRecord, "holder"> {
  if (held === undefined || held === false) return {};
  return { holder: held === true ? thisProcess() : processOf(held) };
}

/** True when the name was held by a container whose creator died, and which is removed now that somebody looked. */
function holderIsGone(context: EngineContext, error: unknown, name: string): boolean {
  if (!(error instanceof LapError) || error.code !== "ERR_LAP_NAME_TAKEN") return false;
  return settledStatus(context, findContainer(context.paths, name)) === undefined;
}

function exposed({ config }: Source): Pick<ContainerRecord["image"], "exposedPorts" | "env" | "cmd" | "entrypoint"> {
  const { ExposedPorts, Env, Cmd, Entrypoint } = config;
  return {
    ...(ExposedPorts === undefined ? {} : { exposedPorts: Object.keys(ExposedPorts) }),
    ...(Env === undefined || Env === null ? {} : { env: Env }),
    ...(Cmd === undefined || Cmd === null ? {} : { cmd: Cmd }),
    ...(Entrypoint === undefined || Entrypoint === null ? {} : { entrypoint: Entrypoint }),
  };
}
