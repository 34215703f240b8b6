// Making a container for the library: an image that is missing is pulled first, as `pull` says.
import { LapError, parsePlatform } from "@lapstrake/base";
import type { CreateOptions } from "../containers/create.ts";
import type { CreateRequest } from "../containers/request.ts";
import type { Engine } from "../engine.ts";
import type { ContainerRecord } from "../state/record.ts";
import type { ContainerOptions } from "./types.ts";

const MISSING: readonly string[] = ["ERR_LAP_NO_IMAGE", "ERR_LAP_NO_PLATFORM"];

/** The container; what was made is gone when `signal` aborts. */
export async function createPulling(
  engine: Engine,
  request: CreateRequest,
  options: CreateOptions,
  { pull = "missing", progress }: Pick<ContainerOptions, "pull" | "progress">,
  signal: AbortSignal | undefined,
): Promise<ContainerRecord> {
  signal?.throwIfAborted();
  const fetch = (): Promise<void> => pullFor(engine, request, progress, signal);
  if (pull === "always" && isPullable(request.image)) await fetch();
  const record = await createOr(engine, request, options, pull === "missing" ? fetch : undefined);
  if (signal?.aborted !== true) return record;
  await engine.remove(record, { force: true });
  throw signal.reason;
}

async function createOr(
  engine: Engine,
  request: CreateRequest,
  options: CreateOptions,
  fetch: (() => Promise<void>) | undefined,
): Promise<ContainerRecord> {
  try {
    return await engine.create(request, options);
  } catch (error) {
    const isMissing = error instanceof LapError && MISSING.includes(error.code);
    if (!isMissing || fetch === undefined || !isPullable(request.image)) throw error;
  }
  await fetch();
  return engine.create(request, options);
}

/** Not the machine itself, not an id, not a file. */
function isPullable(image: string): boolean {
  return image !== "host" && !/^(?:\/|\.\.?\/|sha256:)/.test(image);
}

async function pullFor(
  engine: Engine,
  { image, platform }: CreateRequest,
  progress: ContainerOptions["progress"],
  signal: AbortSignal | undefined,
): Promise<void> {
  // Loaded here: programs that have their images need no registry client.
  const { pullImage } = await import("../images/registry.ts");
  await pullImage(engine, image, {
    ...(platform === undefined ? {} : { platform: parsePlatform(platform) }),
    ...(progress === undefined ? {} : { progress }),
    ...(signal === undefined ? {} : { signal }),
  });
}
