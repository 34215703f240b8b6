// Images of a store as the engine uses them: names to images, layers to directories, changes to new images.
import {
  LapError,
  errorCode,
  familiarReference,
  parseReference,
  type DirFs,
  type Platform,
  type ProgressSink,
} from "@lapstrake/base";
import {
  openSnapshotStore,
  type Image,
  type ImageStore,
  type LoadSource,
  type LoadedImage,
  type SnapshotOptions,
  type SnapshotStore,
} from "@lapstrake/layers";
import { openDirFs } from "@lapstrake/core";
import { openNodeDir, openStore, STORE_PORTS } from "./open.ts";
import { hasManyIds, isRootless } from "../sandbox/rootless.ts";
import { requireStoreIds, type StorePaths } from "../state/layout.ts";

/** Manifest annotation of an image that stands on the machine's own root. */
export const BASE_ANNOTATION = "org.lapstrake.base";
export const BASE_HOST = "host";

/** Opens the images of a store; open once per engine. */
export function openImages(paths: StorePaths): ImageService {
  return new ImageService(paths);
}

/** Disposing closes the directories that it holds open. */
export class ImageService implements Disposable {
  readonly store: ImageStore;
  readonly snapshots: SnapshotStore;
  readonly #dirs: DirFs[] = [];

  constructor(paths: StorePaths) {
    requireStoreIds(paths.root);
    this.store = openStore(this.#open(paths.images));
    this.snapshots = openSnapshotStore(this.#open(paths.layers), this.store, STORE_PORTS, snapshotOptions());
  }

  #open(path: string): DirFs {
    const dir = openDir(path);
    this.#dirs.push(dir);
    return dir;
  }

  [Symbol.dispose](): void {
    this.store[Symbol.dispose]();
    for (const dir of this.#dirs.splice(0)) dir.close();
  }

  /** The image for a new container. Throws `ERR_LAP_NO_IMAGE` in docker's words, `ERR_LAP_NO_PLATFORM`. */
  resolveForRun(name: string, platform: Platform | undefined): Image {
    const image = this.#resolve(name, platform);
    // A Wasm artifact has no root filesystem, but a program: its config says what starts.
    if (image.hasRootfs || image.config.config !== undefined) return image;
    throw new LapError(
      "invalidArgument",
      "ERR_LAP_NOT_RUNNABLE",
      `"${name}" is an artifact, not an image with a root filesystem`,
    );
  }

  #resolve(name: string, platform: Platform | undefined): Image {
    try {
      return this.store.resolve(name, platform);
    } catch (error) {
      if (!(error instanceof LapError) || error.code !== "ERR_LAP_NO_IMAGE") throw error;
      throw new LapError("notFound", "ERR_LAP_NO_IMAGE", `Unable to find image '${shownName(name)}' locally`, {
        cause: error,
        hint: "load it with: lap load -i FILE",
      });
    }
  }

  /** True for an image that runs over the machine's own root only. */
  standsOnHost(image: Image): boolean {
    return image.manifest.annotations?.[BASE_ANNOTATION] === BASE_HOST;
  }

  /** Directory names of the image's layers, top first; extracted when missing. */
  lowerdirs(image: Image, progress?: ProgressSink): Promise<string[]> {
    return this.snapshots.ensure(image, progress === undefined ? {} : { progress });
  }

  load(
    source: { readonly kind: "dir"; readonly path: string } | Extract<LoadSource, { kind: "stream" }>,
    progress?: ProgressSink,
  ): Promise<LoadedImage[]> {
    // Where layers can be extracted whole (devices, owners), they are while they come in: each is decompressed once.
    const unpack = process.platform === "linux" && hasManyIds() ? { unpack: this.snapshots } : {};
    const options = { ...unpack, ...(progress === undefined ? {} : { progress }) };
    if (source.kind === "stream") return this.store.load(source, options);
    const dir = openDir(source.path);
    return this.store.load({ kind: "dir", dir }, options).finally(() => dir.close());
  }
}

/** A user without privilege owns every file it extracts, and its overlays take the `user.` attributes. */
function snapshotOptions(): SnapshotOptions {
  return isRootless() ? { overlayXattrs: "user", owners: hasManyIds() } : {};
}

/** The kernel's DirFs where there is one. */
function openDir(path: string): DirFs {
  if (process.platform !== "linux") return openNodeDir(path);
  try {
    return openDirFs(path);
  } catch (error) {
    if (errorCode(error) === "ERR_LAP_FFI_MISSING") return openNodeDir(path);
    throw error;
  }
}

function shownName(name: string): string {
  try {
    return familiarReference(parseReference(name));
  } catch (error) {
    if (error instanceof LapError) return name;
    throw error;
  }
}
