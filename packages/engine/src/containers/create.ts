// CreateRequest -> ContainerRecord: the image is resolved, defaults are merged, the directory and the name appear. Nothing runs yet.
import { copyFileSync, existsSync, statSync } from "node:fs";
import { basename, isAbsolute, join, resolve } from "node:path";
import { LapError, formatTimestamp, parsePlatform, toByteString, type ExecConfig } from "@lapstrake/base";
import type { EngineContext } from "../context.ts";
import { MODULE_FILE } from "../sandbox/handover.ts";
import { recallSource, rememberSource, storeStamp, type ResolvedSource } from "../images/resolve-cache.ts";
import type { PreparedMounts } from "../volumes/prepare.ts";
import { networkMode } from "../network/mode.ts";
import type { ResolvedNetworks } from "../network/resolve.ts";
import { emitContainer } from "../events/emit.ts";
import { checkHostImage } from "../sandbox/host-image.ts";
import { prepareContainerDirs } from "../sandbox/rootfs.ts";
import { hasWasmHandler, isWasmImage } from "../sandbox/wasm-handler.ts";
import { asksNetwork } from "../sandbox/wasm-network.ts";
import { checkLinuxRequest, checkWasmRequest } from "../sandbox/wasm-limits.ts";
import { addContainer, findContainer } from "../state/containers.ts";
import { processOf, thisProcess } from "./creator.ts";
import { settledStatus } from "./list.ts";
import { checkContainerName, newContainerId, randomName, shortId } from "../state/ids.ts";
import type { ContainerRecord, RecordRootfs } from "../state/record.ts";
import { writeManagedFiles } from "./managed-files.ts";
import { recordProcess } from "./process.ts";
import { hasExtras } from "./has-extras.ts";
import { checkRequest } from "./check-request.ts";
import type { CreateRequest } from "./request.ts";

/** The reserved image name of the machine itself. */
export const HOST_IMAGE = "host";

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
  /** Fills the new container's directory, which is not in its place yet. */
  readonly fill: (dir: string) => void;
}

/** What an image name came to. */
interface Source {
  readonly kind: ContainerRecord["kind"];
  readonly rootfs: RecordRootfs;
  readonly config: ExecConfig;
  readonly imageId: ContainerRecord["image"]["id"];
  /** A file to copy into the container's directory. */
  readonly moduleFile?: string;
}

/** Makes a container. Throws `ERR_LAP_NO_IMAGE`, `ERR_LAP_NAME_TAKEN`, and what the request's fields can be wrong about. */
export async function createContainer(
  context: EngineContext,
  asked: CreateRequest,
  options: CreateOptions = {},
): Promise<ContainerRecord> {
  checkHost();
  const request = withImpliedNetwork(asked);
  checkRequest(request);
  const { restart, health, healthOnFailure, log } = request;
  if ((restart ?? health ?? healthOnFailure ?? log) !== undefined) {
    (await import("./check-life.ts")).checkLife(request);
  }
  if (hasExtras(request)) (await import("./extras.ts")).checkExtras(request);
  const name = request.name === undefined ? undefined : checkContainerName(request.name);
  const source = await resolveSource(context, request);
  (source.kind === "wasm" ? checkWasmRequest : checkLinuxRequest)(request);
  refuseInGuest(source, request);
  const { networks, network } = await resolveNetworks(context, request, source.kind);
  const mounts = await prepareMounts(context, request, source);
  const keepSecrets = await readSecrets(request);
  const id = newContainerId();
  const hostname =
    request.network === "host" || request.uts === "host" ? context.hostname() : (request.hostname ?? shortId(id));
  const now = context.clock.now();
  const record: ContainerRecord = {
    version: 1,
    id,
    name: name ?? randomName(0),
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
    ...(await runtimeOf(request, source)),
    ...(options.fork === undefined ? {} : { frozen: options.fork.frozen }),
    ...(networks === undefined ? {} : { networks }),
    ...(await healthOf(request, source.config)),
    ...(mounts === undefined ? {} : { mounts: mounts.mounts }),
    request: network === undefined ? request : { ...request, network },
  };
  const prepare = (dir: string): void => {
    if (record.kind === "linux") prepareContainerDirs(context.paths, record, dir);
    if (source.moduleFile !== undefined) copyFileSync(source.moduleFile, join(dir, MODULE_FILE));
    writeManagedFiles(dir, record.hostname, record.request);
    keepSecrets?.(dir);
    options.fork?.fill(dir);
  };
  const add = (): ContainerRecord => addContainer(context.paths, record, name !== undefined, prepare);
  const publish = async (): Promise<ContainerRecord> => (mounts === undefined ? add() : mounts.commit(add));
  const made = await publish().catch((error: unknown) => {
    if (name === undefined || !holderIsGone(context, error, name)) throw error;
    return publish();
  });
  emitContainer(context, made, "create");
  return made;
}

function holderOf(held: CreateOptions["held"]): Pick<ContainerRecord, "holder"> {
  if (held === undefined || held === false) return {};
  return { holder: held === true ? thisProcess() : processOf(held) };
}

/** What is to be mounted besides the engine's own; only those that ask for it need the code. */
async function prepareMounts(
  context: EngineContext,
  request: CreateRequest,
  source: Source,
): Promise<PreparedMounts | undefined> {
  const { binds, mounts, tmpfs, volumesFrom } = request;
  const asked = binds ?? mounts ?? tmpfs ?? volumesFrom ?? source.config.Volumes ?? undefined;
  if (asked === undefined) return undefined;
  return (await import("../volumes/prepare.ts")).prepareMounts(context, request, source);
}

/** Secrets of a guest, to be written where its container is made. */
async function readSecrets(request: CreateRequest): Promise<((dir: string) => void) | undefined> {
  if (request.guestHttp === undefined) return undefined;
  return (await import("../sandbox/wasm-secrets.ts")).readSecrets(request);
}

/** Only who names one needs to look for it. */
async function runtimeOf({ runtime }: CreateRequest, { kind }: Source): Promise<Pick<ContainerRecord, "runtime">> {
  if (runtime === undefined) return {};
  const found = (await import("../sandbox/other-runtime.ts")).findRuntime(runtime);
  if (found === undefined) return {};
  if (kind === "linux") return { runtime: found };
  throw new LapError("invalidArgument", "ERR_LAP_RUNTIME", `the runtime "${runtime}" does not run Wasm images`, {
    hint: "leave --runtime away: the Wasm sandbox is chosen by the image's platform",
  });
}

/** A guest has no processes that an init could reap. */
function refuseInGuest({ kind }: Source, { init }: CreateRequest): void {
  if (kind !== "wasm" || init !== true) return;
  throw new LapError("unimplemented", "ERR_LAP_INIT_WASM", "--init makes no sense for a Wasm container", {
    hint: "leave it out: nothing is orphaned in a guest",
  });
}

/** Only what has checks keeps more than that it has none. */
async function healthOf(request: CreateRequest, image: ExecConfig): Promise<Pick<ContainerRecord, "health" | "shell">> {
  if (image.Healthcheck === undefined && request.health === undefined) return {};
  const health = (await import("../health/config.ts")).mergeHealth(image.Healthcheck, request.health)!;
  return { health, ...(image.Shell === undefined ? {} : { shell: image.Shell }) };
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

/** The networks a request names; only those need the network's code. */
async function resolveNetworks(
  context: EngineContext,
  request: CreateRequest,
  kind: ContainerRecord["kind"],
): Promise<ResolvedNetworks> {
  const mode = networkMode(request.network).kind;
  // A guest is on no network unless something is asked of one.
  if (kind === "wasm" && !asksNetwork(request)) return {};
  if (mode === "none" || mode === "host") {
    const publishes = (request.ports ?? []).length > 0 || request.publishAll === true;
    if (publishes) context.logger.warn(`Published ports are discarded when using ${mode} network mode`);
    return {};
  }
  return (await import("../network/resolve.ts")).resolveNetworks(context, request);
}

/** Ports are published by a network: who asks for them without naming one means the default bridge. */
function withImpliedNetwork(request: CreateRequest): CreateRequest {
  const asksPorts =
    (request.ports?.length ?? 0) > 0 || request.publishAll === true || (request.guestHttp?.allow ?? []).length > 0;
  const isNeeded = request.network === undefined && networkMode(undefined).kind !== "networks";
  return asksPorts && isNeeded ? { ...request, network: "bridge" } : request;
}

/** Throws when this process cannot run containers at all. */
function checkHost(): void {
  if (process.platform !== "linux") {
    throw new LapError("failedPrecondition", "ERR_LAP_NOT_LINUX", "containers need Linux", {
      hint: "images, layers and runWasm of the libraries work everywhere",
    });
  }
}

async function resolveSource(context: EngineContext, request: CreateRequest): Promise<Source> {
  if (request.image === HOST_IMAGE) return hostSource(request);
  const file = moduleFile(request.image);
  if (file !== undefined) return moduleSource(file);
  return imageSource(context, request);
}

function hostSource(request: CreateRequest): Source {
  checkHostImage();
  const include = (request.include ?? []).map((path) => {
    if (isAbsolute(path) && existsSync(path)) return path;
    throw new LapError("invalidArgument", "ERR_LAP_INCLUDE_INVALID", `cannot include "${path}"`, {
      hint: "name an existing absolute path of this machine",
    });
  });
  const config: ExecConfig = { Cmd: ["/bin/sh"] };
  return {
    kind: "linux",
    rootfs: { kind: "host", layers: [], include, mask: request.mask ?? [] },
    config,
    imageId: undefined,
  };
}

/** A file when the image is written as a path: `./x.wasm`, `../x`, `/x`. */
function moduleFile(image: string): string | undefined {
  return /^(?:\/|\.\.?\/)/.test(image) ? resolve(image) : undefined;
}

function moduleSource(file: string): Source {
  let isFile: boolean;
  try {
    isFile = statSync(file).isFile();
  } catch (cause) {
    throw new LapError("notFound", "ERR_LAP_NO_MODULE", `open ${file}: no such file or directory`, { cause });
  }
  if (!isFile) throw new LapError("invalidArgument", "ERR_LAP_NO_MODULE", `"${file}" is not a file`);
  return {
    kind: "wasm",
    rootfs: { kind: "module", file: toByteString(basename(file)) },
    config: { Entrypoint: [`/${basename(file)}`] },
    imageId: undefined,
    moduleFile: file,
  };
}

async function imageSource(context: EngineContext, request: CreateRequest): Promise<Source> {
  const known = hasWasmHandler(request) ? undefined : recallSource(context.paths, request.image, request.platform);
  const found = known ?? (await resolveImage(context, request));
  const source = { kind: found.kind, config: found.config, imageId: found.imageId };
  if (!found.onHost) return { ...source, rootfs: { kind: "image", layers: found.layers } };
  checkHostImage();
  const { include = [], mask = [] } = request;
  return { ...source, rootfs: { kind: "host", layers: found.layers, include, mask } };
}

async function resolveImage(context: EngineContext, request: CreateRequest): Promise<ResolvedSource> {
  const stamp = storeStamp(context.paths);
  const images = await context.images();
  const platform = request.platform === undefined ? undefined : parsePlatform(request.platform);
  const image = images.resolveForRun(request.image, platform);
  const isWasm = isWasmImage(image, request);
  const source: ResolvedSource = {
    imageId: image.id,
    kind: isWasm ? "wasm" : "linux",
    onHost: images.standsOnHost(image),
    layers: isWasm ? [] : await images.lowerdirs(image),
    config: image.config.config ?? {},
  };
  if (!hasWasmHandler(request)) rememberSource(context.paths, request.image, request.platform, stamp, source);
  return source;
}
