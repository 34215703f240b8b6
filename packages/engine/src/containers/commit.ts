// `commit`: a container's changes become one more layer over its image. Over the host they become a one-layer image of their own.
import {
  LapError,
  errorCode,
  familiarReference,
  formatReference,
  type ExecConfig,
  type Reference,
} from "@lapstrake/base";
import { layerTar, type CommitOptions, type Image } from "@lapstrake/layers";
import { control, type Control } from "@lapstrake/core";
import type { Engine } from "../engine.ts";
import { emitContainer } from "../events/emit.ts";
import { emitImage } from "../events/image-events.ts";
import { BASE_ANNOTATION, BASE_HOST } from "../images/service.ts";
import type { ContainerRecord } from "../state/record.ts";
import { committedConfig } from "./committed-config.ts";
import { withUpper } from "./changes.ts";

/** What a commit says besides the changes. */
export interface CommitRequest {
  readonly reference?: Reference | undefined;
  readonly author?: string | undefined;
  readonly message?: string | undefined;
  /** Changes to the config. */
  readonly config?: ExecConfig | undefined;
  /** Pause a running container meanwhile. */
  readonly pause: boolean;
  /** Ends it, and what it made so far. */
  readonly signal?: AbortSignal | undefined;
}

/** Makes an image of the container; resolves when it is in the store, named. */
export async function commitContainer(engine: Engine, record: ContainerRecord, request: CommitRequest): Promise<Image> {
  if (record.rootfs.kind === "module") {
    throw new LapError("unimplemented", "ERR_LAP_COMMIT_MODULE", "cannot commit a container of a bare .wasm file", {
      hint: "make an image that holds the file and run that",
    });
  }
  await using _paused = await pausedMeanwhile(engine, record, request.pause);
  const { store } = await engine.images();
  const base = record.image.id === undefined ? undefined : store.resolve(record.image.id);
  const image = await withUpper(engine, record, (tree) =>
    store.commit({ ...commitOptions(record, request, base), base, layer: chunks(layerTar(tree), request.signal) }),
  );
  const { context } = engine;
  const name = request.reference === undefined ? "" : familiarReference(request.reference);
  if (request.reference !== undefined) {
    store.tag(image.id, formatReference(request.reference));
    emitImage(context, image, "tag", name);
  }
  emitContainer(context, record, "commit", { comment: request.message ?? "", imageID: image.id, imageRef: name });
  return store.resolve(image.id);
}

function commitOptions(
  record: ContainerRecord,
  request: CommitRequest,
  base: Image | undefined,
): Partial<CommitOptions> {
  const onHost = record.rootfs.kind === "host";
  return {
    config: committedConfig(record, base?.config.config, request.config),
    author: request.author,
    history: {
      created_by: record.process.args.join(" "),
      ...(request.message === undefined ? {} : { comment: request.message }),
    },
    ...(onHost ? { annotations: { [BASE_ANNOTATION]: BASE_HOST } } : {}),
  };
}

async function* chunks(
  tar: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of tar) {
    signal?.throwIfAborted();
    yield chunk;
  }
}

async function pausedMeanwhile(engine: Engine, record: ContainerRecord, pause: boolean): Promise<AsyncDisposable> {
  // A Wasm guest is held by whoever asks for its files.
  if (!pause || record.kind === "wasm" || engine.status(record).state !== "running")
    return { async [Symbol.asyncDispose]() {} };
  let connection: Control | undefined;
  try {
    connection = await control(engine.dir(record));
    await connection.pauseHeld();
  } catch (error) {
    const code = errorCode(error) ?? "";
    if (code === "ERR_LAP_NO_FREEZER") {
      engine.context.logger.warn(`committing container ${record.id} while it runs: ${String(error)}`);
    } else if (!ENDED.has(code)) throw error;
  }
  return { [Symbol.asyncDispose]: () => goOn(connection) };
}

/** It ended, or somebody lets it go on: the connection's end does the same. */
async function goOn(connection: Control | undefined): Promise<void> {
  try {
    await connection?.resume();
  } catch (error) {
    const code = errorCode(error) ?? "";
    if (!ENDED.has(code) && code !== "ERR_LAP_STATE" && code !== "ERR_LAP_NO_FREEZER") throw error;
  } finally {
    await connection?.[Symbol.asyncDispose]();
  }
}

/** Of a container that ended meanwhile. */
const ENDED = new Set(["ERR_LAP_NOT_RUNNING", "EPIPE", "ECONNRESET"]);
