// What people do with images, as the command line and the library call it.
import { readdirSync } from "node:fs";
import { basename, join } from "node:path";
import {
  LapError,
  errorCode,
  familiarName,
  familiarReference,
  parseReference,
  type Digest,
  type ProgressSink,
} from "@lapstrake/base";
import type { Image, ImageSummary, LoadSource, LoadedImage, RemovedImages } from "@lapstrake/layers";
import type { Engine } from "../engine.ts";
import { emitImage } from "../events/image-events.ts";
import { moveToTrash, type StorePaths } from "../state/layout.ts";
import { removeFromTrash } from "../state/trash.ts";
import { listContainers } from "../state/containers.ts";
import { shortId } from "../state/ids.ts";
import type { ContainerRecord } from "../state/record.ts";
import { forgetDigest, knownDigests } from "./known-digests.ts";

/** What to load: an OCI layout folder, or an archive's bytes. */
export type LoadInput = { readonly kind: "dir"; readonly path: string } | Extract<LoadSource, { kind: "stream" }>;

/** One line of `lap images`: an image has one per name. */
export interface ImageRow {
  readonly id: Digest;
  readonly repository: string | undefined;
  readonly tag: string | undefined;
  /** Of the image or index, where a registry has it under this repository. */
  readonly digest: Digest | undefined;
  /** RFC 3339. */
  readonly created: string | undefined;
  /** Of all layers, unpacked. */
  readonly sizeBytes: number;
}

/** Loads every image of a layout or archive. */
export async function loadImages(engine: Engine, input: LoadInput, progress?: ProgressSink): Promise<LoadedImage[]> {
  const images = await engine.images();
  const loaded = await images.load(input, progress);
  for (const { id } of loaded) emitImage(engine.context, images.store.resolve(id), "load");
  return loaded;
}

/** An archive of images, by name or id; throws when one is not there. */
export async function saveImages(engine: Engine, namesOrIds: readonly string[]): Promise<AsyncIterable<Uint8Array>> {
  const { store } = await engine.images();
  const archive = store.save(namesOrIds);
  return told(archive, () => {
    for (const each of namesOrIds) emitImage(engine.context, findImage(store, each), "save");
  });
}

/** `done` comes after the last chunk. */
async function* told(archive: AsyncIterable<Uint8Array>, done: () => void): AsyncGenerator<Uint8Array> {
  yield* archive;
  done();
}

/** Every name of every image, newest first; `wanted` keeps one repository or one name, `*` matches any text. */
export async function listImages(engine: Engine, wanted?: string): Promise<ImageRow[]> {
  const { store } = await engine.images();
  const pattern = wanted === undefined ? undefined : namePattern(wanted);
  const known = knownDigests(engine.context.paths);
  return store
    .list()
    .flatMap((image) => rowsOf(image, known))
    .filter((row) => pattern === undefined || matches(row, pattern));
}

function rowsOf(image: ImageSummary, known: ReadonlySet<string>): ImageRow[] {
  const base = { id: image.id, created: image.created, sizeBytes: image.size };
  if (image.references.length === 0) return [{ ...base, repository: undefined, tag: undefined, digest: undefined }];
  return image.references.map((text) => {
    const reference = parseReference(text);
    const repository = familiarName(reference);
    const { digest } = image.target;
    const isKnown = known.has(`${repository}@${digest}`);
    return { ...base, repository, tag: reference.tag, digest: isKnown ? digest : undefined };
  });
}

/** `*` matches any text but a slash, as in docker's reference patterns. */
export function namePattern(text: string): RegExp {
  const escaped = text.replaceAll(/[.+?^${}()|[\]\\]/g, "\\$&").replaceAll("*", "[^/]*");
  return new RegExp(`^${escaped}$`);
}

function matches({ repository, tag }: ImageRow, pattern: RegExp): boolean {
  return repository !== undefined && (pattern.test(repository) || pattern.test(`${repository}:${tag}`));
}

/** Gives an image a further name. */
export async function tagImage(engine: Engine, source: string, target: string): Promise<void> {
  const { store } = await engine.images();
  findImage(store, source);
  store.tag(source, target);
  emitImage(engine.context, store.resolve(target), "tag", familiarReference(parseReference(target)));
}

/** What a removal did: names, ids of images, and ids of layers (top first) that nothing needs any more. */
export interface RemovedImage extends RemovedImages {
  readonly layers: readonly Digest[];
}

/** Removes a name, and the image with its layers when nothing else needs it. Throws `ERR_LAP_IMAGE_IN_USE`. */
export async function removeImage(
  engine: Engine,
  name: string,
  options: { readonly force: boolean },
): Promise<RemovedImage> {
  const { store, snapshots } = await engine.images();
  const image = findImage(store, name);
  const users = listContainers(engine.context.paths).filter((record) => record.image.id === image.id);
  const isLastName = image.references.length <= 1 || isId(name);
  const isRunning = users.some((record) => isAlive(engine, record));
  if (isLastName && isRunning && options.force && !isId(name)) {
    emitImage(engine.context, image, "untag"); // the image stays for what runs on it
    return { untagged: [store.untag(name)], deleted: [], layers: [] };
  }
  if (isLastName) refuseUsed(engine, name, image, users, options.force);
  const known = knownDigests(engine.context.paths);
  const names = store.remove(name, options);
  const removed = { ...names, untagged: [...names.untagged, ...digestNames(image, names.untagged, known)] };
  for (const _ of names.untagged) emitImage(engine.context, image, "untag");
  if (removed.deleted.includes(image.id)) emitImage(engine.context, image, "delete");
  if (removed.deleted.length === 0) return { ...removed, layers: [] };
  forgetDigest(engine.context.paths, image.target.digest);
  const kept = keptLayers(engine, store);
  snapshots.prune(kept);
  const needed = new Set(kept.flatMap(({ layers }) => layers.map(({ chainID }) => chainID)));
  dropInitLayers(engine.context.paths, needed);
  const gone = image.layers.map(({ chainID }) => chainID).filter((chainID) => !needed.has(chainID));
  return { ...removed, layers: gone.toReversed() };
}

/** What gives mounts their places, and what was flattened for copies, goes with the layer it is named after. */
function dropInitLayers(paths: StorePaths, needed: ReadonlySet<Digest>): void {
  for (const name of readdirSync(paths.layers)) {
    const [, hex] = /^(?:init|flat)-([0-9a-f]{64})$/.exec(name) ?? [];
    if (hex === undefined || needed.has(`sha256:${hex}` as Digest)) continue;
    try {
      removeFromTrash(paths, basename(moveToTrash(paths, join(paths.layers, name))));
    } catch (error) {
      if (errorCode(error) !== "ENOENT") throw error; // another removal was quicker
    }
  }
}

/** By name, id or prefix. Throws `ERR_LAP_NO_IMAGE` in docker's words. */
export function findImage(store: { resolve(name: string): Image }, name: string): Image {
  try {
    return store.resolve(name);
  } catch (error) {
    if (!(error instanceof LapError) || error.code !== "ERR_LAP_NO_IMAGE") throw error;
    const shown = isId(name) || name.includes(":") || name.includes("@") ? name : `${name}:latest`;
    throw new LapError("notFound", "ERR_LAP_NO_IMAGE", `No such image: ${shown}`, { cause: error });
  }
}

function isId(name: string): boolean {
  return /^(?:sha256:)?[a-f0-9]{4,64}$/.test(name);
}

/** `repository@digest` of repositories that have no name of the image any more, where a registry knows it. */
function digestNames(image: Image, untagged: readonly string[], known: ReadonlySet<string>): string[] {
  const left = new Set(image.references.filter((name) => !untagged.includes(name)).map(repositoryOf));
  const gone = new Set(untagged.map(repositoryOf).filter((repository) => !left.has(repository)));
  return [...gone].map((repository) => `${repository}@${image.target.digest}`).filter((name) => known.has(name));
}

function repositoryOf(name: string): string {
  return familiarName(parseReference(name));
}

function isAlive(engine: Engine, record: ContainerRecord): boolean {
  return ["running", "paused"].includes(engine.status(record).state);
}

function refuseUsed(
  engine: Engine,
  name: string,
  image: Image,
  users: readonly ContainerRecord[],
  force: boolean,
): void {
  const running = users.find((record) => isAlive(engine, record));
  const user = running ?? users[0];
  if (user === undefined || (force && running === undefined)) return;
  const imageId = shortId(image.id.slice("sha256:".length));
  const what = isId(name)
    ? `unable to delete ${imageId} (${running === undefined ? "must be forced" : "cannot be forced"}) - image is being used by ${running === undefined ? "stopped" : "running"} container ${shortId(user.id)}`
    : `unable to remove repository reference "${name}" (must force) - container ${shortId(user.id)} is using its referenced image ${imageId}`;
  throw new LapError("conflict", "ERR_LAP_IMAGE_IN_USE", `conflict: ${what}`);
}

/** What needs extracted layers: images, and containers whose image was removed by force. */
function keptLayers(
  engine: Engine,
  store: { list(): ImageSummary[]; resolve(id: string): Image },
): { readonly layers: readonly { readonly chainID: Digest }[] }[] {
  const containers = listContainers(engine.context.paths).map(({ rootfs }) => ({
    layers: rootfs.kind === "module" ? [] : rootfs.layers.map((hex) => ({ chainID: `sha256:${hex}` as Digest })),
  }));
  return [...store.list().map(({ id }) => store.resolve(id)), ...containers];
}
