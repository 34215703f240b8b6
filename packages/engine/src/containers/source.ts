// First phase of a creation: an image name -> what the container is made of and its image's config. The name is an image's, the reserved
// `host`, or the path of a .wasm file.
import { existsSync, statSync } from "node:fs";
import { basename, isAbsolute, resolve } from "node:path";
import { LapError, parsePlatform, toByteString, type ExecConfig } from "@lapstrake/base";
import type { EngineContext } from "../context.ts";
import { recallSource, rememberSource, storeStamp, type ResolvedSource } from "../images/resolve-cache.ts";
import { checkHostImage } from "../sandbox/host-image.ts";
import { hasWasmHandler, isWasmImage } from "../sandbox/wasm-handler.ts";
import type { ContainerRecord, RecordRootfs } from "../state/record.ts";
import type { CreateRequest } from "./request.ts";

/** The reserved image name of the machine itself. */
export const HOST_IMAGE = "host";

/** What an image name came to. */
export interface Source {
  readonly kind: ContainerRecord["kind"];
  readonly rootfs: RecordRootfs;
  readonly config: ExecConfig;
  readonly imageId: ContainerRecord["image"]["id"];
  /** A file to copy into the container's directory. */
  readonly moduleFile?: string;
}

/** Finds what the request names. Throws `ERR_LAP_NO_IMAGE`, `ERR_LAP_NO_MODULE`, `ERR_LAP_INCLUDE_INVALID`. */
export async function resolveSource(context: EngineContext, request: CreateRequest): Promise<Source> {
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
