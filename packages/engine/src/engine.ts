// The engine: one object that knows a store and offers what people do with it. Methods are thin; each lives in a file of its own.
// There is no daemon: any number of processes may have the same store open.
import type { Launched, PublishedPort } from "@lapstrake/core";
import { LapError, type Logger } from "@lapstrake/base";
import { machineHostname, systemClock, type EngineContext } from "./context.ts";
import { createContainer, type CreateOptions } from "./containers/create.ts";
import { logPath, type StartOptions } from "./containers/bundle.ts";
import { settledStatus, summaries, type ContainerSummary } from "./containers/list.ts";
import { killContainer, removeContainer, type RemoveOptions } from "./containers/remove.ts";
import type { EngineEvent } from "./events/event.ts";
import type { EventsRequest } from "./events/events.ts";
import { reapContainer } from "./containers/reap.ts";
import type { CreateRequest } from "./containers/request.ts";
import type { DebugSink } from "./containers/launch-bundle.ts";
import { startContainer } from "./containers/start.ts";
import type { ContainerStatus } from "./containers/status.ts";
import { defaultProgram, type EngineProgram } from "./program.ts";
import { askedDriver } from "./sandbox/storage-driver.ts";
import { dirOf, findContainer } from "./state/containers.ts";
import { defaultRoot, openLayout } from "./state/layout.ts";
import type { ContainerRecord } from "./state/record.ts";
import type { ImageService } from "./images/service.ts";

/** How to open a store. */
export interface EngineOptions {
  /** Folder of the store; default {@link defaultRoot}. */
  readonly root?: string;
  /** `overlay2` or `vfs`; default $LAP_STORAGE_DRIVER, else what the store's filesystem can. */
  readonly storageDriver?: string;
  readonly logger?: Logger;
  /** What runs `_reap` and `_wasm`; default this package's main file. */
  readonly program?: EngineProgram;
}

/** Opens (or makes) a store. Throws `ERR_LAP_STORE_VERSION`, `ERR_LAP_STORE_DAMAGED`, `ERR_LAP_STORE_UNREADABLE`. */
export function openEngine(options: EngineOptions = {}): Engine {
  const paths = openLayout(options.root ?? defaultRoot());
  const program = options.program ?? defaultProgram();
  let images: Promise<ImageService> | undefined;
  const closeImages = async (): Promise<void> => {
    const opened = images;
    images = undefined;
    // One that could not be opened has told whoever wanted it.
    (await opened?.catch(() => undefined))?.[Symbol.dispose]();
  };
  const context: EngineContext = {
    paths,
    clock: systemClock,
    storageDriver: askedDriver(options.storageDriver),
    logger: options.logger ?? SILENT,
    images: () => (images ??= import("./images/service.ts").then(({ openImages }) => openImages(paths))),
    closeImages,
    hostname: machineHostname,
    reapArgv: [...program.argv, "_reap", paths.root],
    keeperArgv: [...program.argv, "_keeper", paths.root],
    wasmArgv: [...(program.wasmArgv ?? program.argv), "_wasm"],
    wasmStarted: program.wasmStarted,
    programRoots: program.roots,
  };
  return new Engine(context);
}

const SILENT: Logger = { debug() {}, warn() {} };

/** See {@link openEngine}. */
export class Engine {
  readonly context: EngineContext;

  constructor(context: EngineContext) {
    this.context = context;
  }

  /** The images of the store. */
  images(): Promise<ImageService> {
    return this.context.images();
  }

  /** Makes a container; nothing runs yet. */
  create(request: CreateRequest, options: CreateOptions = {}): Promise<ContainerRecord> {
    return createContainer(this.context, request, options);
  }

  /** Starts a created or exited container. */
  start(record: ContainerRecord, options: StartOptions = {}, debug?: DebugSink): Promise<Launched> {
    return startContainer(this.context, record, options, debug);
  }

  /** By name, id or unique id prefix. Throws `ERR_LAP_NO_CONTAINER`. */
  find(nameOrId: string): ContainerRecord {
    const record = findContainer(this.context.paths, nameOrId);
    if (settledStatus(this.context, record) === undefined) {
      throw new LapError("notFound", "ERR_LAP_NO_CONTAINER", `No such container: ${nameOrId}`);
    }
    return record;
  }

  /** Every container with its state, newest first. */
  list(): ContainerSummary[] {
    return summaries(this.context);
  }

  status(record: ContainerRecord): ContainerStatus {
    const status = settledStatus(this.context, record);
    if (status !== undefined) return status;
    throw new LapError("notFound", "ERR_LAP_NO_CONTAINER", `No such container: ${record.id}`);
  }

  /** What happens to containers, images, networks and volumes of the store, from the moment of this call (or `since`) on. */
  async events(request: EventsRequest = {}): Promise<AsyncIterableIterator<EngineEvent>> {
    // An end that nobody told is told by looking.
    return (await import("./events/events.ts")).readEvents(this.context, request, () => void summaries(this.context));
  }

  /** Folder of a container: its log, status and socket are in it. */
  dir(record: ContainerRecord): string {
    return dirOf(this.context.paths, record);
  }

  /** Its json-file log. */
  logPath(record: ContainerRecord): string {
    return logPath(this.dir(record));
  }

  /** Published ports by container id. */
  async publishedPorts(): Promise<Map<string, readonly PublishedPort[]>> {
    return (await import("./network/published.ts")).publishedPorts(this.context);
  }

  signal(record: ContainerRecord, signal: number): Promise<void> {
    return killContainer(this.context, record, signal);
  }

  /** Cleans up after an ended run; removes a container of `--rm`. Idempotent. */
  reap(record: ContainerRecord): Promise<void> {
    return reapContainer(this.context, record);
  }

  remove(record: ContainerRecord, options: RemoveOptions = {}): Promise<void> {
    return removeContainer(this.context, record, options);
  }

  /** Lets go of what it holds open; containers go on. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.context.closeImages();
  }
}
