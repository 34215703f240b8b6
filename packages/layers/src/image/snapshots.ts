// Extracted layers for the kernel's overlay: one directory per chainID, made under a temporary name, synced and renamed. Any number
// of processes may make the same one; the first rename wins and the others take it.
import {
  digestHex,
  errorCode,
  toByteString,
  type ByteString,
  type Digest,
  type DirFs,
  type ProgressSink,
} from "@lapstrake/base";
import { extractLayer } from "../disk/extract.ts";
import { removeTree } from "../disk/layer-writer.ts";
import { OPAQUE_VALUE, opaqueName, type OverlayXattrs } from "../disk/overlay-xattrs.ts";
import { StackView } from "../disk/stack-view.ts";
import { failpoint } from "./failpoint.ts";
import { randomName } from "./files.ts";
import type { Image, ImageLayer } from "./image.ts";
import type { LayerUnpacker } from "./import.ts";
import { LEASE_MAX_AGE_SEC } from "./leases.ts";
import type { StorePorts } from "./ports.ts";
import type { ImageStore } from "./store.ts";

/** How layers are extracted here. */
export interface SnapshotOptions {
  /** `user` for mounts in a user namespace; default `trusted`. */
  readonly overlayXattrs?: OverlayXattrs | undefined;
  /** False where owners cannot be set. */
  readonly owners?: boolean | undefined;
}

const TEMPORARY = "tmp-";

/** Opens the snapshot store in `dir`; images come from `store`. */
export function openSnapshotStore(
  dir: DirFs,
  store: ImageStore,
  ports: StorePorts,
  options: SnapshotOptions = {},
): SnapshotStore {
  return new SnapshotStore(dir, store, ports, options);
}

export class SnapshotStore implements LayerUnpacker {
  readonly #dir: DirFs;
  readonly #store: ImageStore;
  readonly #ports: StorePorts;
  readonly #options: SnapshotOptions;

  constructor(dir: DirFs, store: ImageStore, ports: StorePorts, options: SnapshotOptions) {
    this.#dir = dir;
    this.#store = store;
    this.#ports = ports;
    this.#options = options;
  }

  /** Names of the layer directories of an image, top first, extracted when missing; lowers below an opaque root are left out. */
  async ensure(
    image: Image,
    options: { readonly progress?: ProgressSink; readonly signal?: AbortSignal } = {},
  ): Promise<string[]> {
    for (const [i, layer] of image.layers.entries()) {
      if (this.has(layer.chainID)) continue;
      options.progress?.({ id: layer.diffID, status: "Extracting", current: 0, total: layer.descriptor.size });
      await this.extract(layer, image.layers.slice(0, i), this.#store.layerStream(layer), options.signal);
      options.progress?.({ id: layer.diffID, status: "Pull complete" });
    }
    return this.lowerdirs(image);
  }

  /** Names of the layer directories of an image, top first, without making any. */
  lowerdirs(image: Image): string[] {
    const names: string[] = [];
    for (const layer of image.layers.toReversed()) {
      names.push(digestHex(layer.chainID));
      if (this.#hidesLowers(layer.chainID)) break;
    }
    return names;
  }

  has(chainID: Digest): boolean {
    return this.#dir.stat(digestHex(chainID)) !== undefined;
  }

  #hidesLowers(chainID: Digest): boolean {
    if (!this.#dir.features.xattrs || !this.has(chainID)) return false;
    const value = this.#dir.getXattr(digestHex(chainID), opaqueName(this.#options.overlayXattrs ?? "trusted"));
    return value?.length === 1 && value[0] === OPAQUE_VALUE[0];
  }

  /** Extracts one layer from its tar; it appears when the stream has ended well. `below`: lowest first, all extracted. */
  async extract(
    layer: ImageLayer,
    below: readonly ImageLayer[],
    tar: AsyncIterable<Uint8Array>,
    signal?: AbortSignal,
  ): Promise<void> {
    const temporary = toByteString(`${TEMPORARY}${this.#ports.clock.now().sec}-${randomName()}`);
    this.#dir.mkdir(temporary, 0o755);
    const opened: DirFs[] = [];
    try {
      for (const { chainID } of below.toReversed()) opened.push(this.#dir.openDir(digestHex(chainID)));
      const lower = below.length === 0 ? undefined : new StackView(opened, this.#options.overlayXattrs);
      using into = this.#dir.openDir(temporary);
      await extractLayer(tar, into, { ...this.#options, lower, signal });
      failpoint("snapshot.extracted");
      into.syncfs();
      this.#publish(temporary, layer.chainID);
    } finally {
      for (const dir of opened) dir.close();
      if (this.#dir.stat(temporary) !== undefined) this.#removeTemporary(temporary);
    }
  }

  #publish(temporary: ByteString, chainID: Digest): void {
    try {
      failpoint("snapshot.publish");
      this.#dir.rename(temporary, digestHex(chainID), { noReplace: true });
      this.#dir.fsync();
    } catch (error) {
      if (errorCode(error) !== "EEXIST" && errorCode(error) !== "ENOTEMPTY") throw error;
    }
  }

  #removeTemporary(name: ByteString): void {
    removeTree(this.#dir, name);
  }

  /** Removes an extracted layer: renamed away at once, deleted after. False when there was none. */
  remove(chainID: Digest): boolean {
    const aside = `${TEMPORARY}${this.#ports.clock.now().sec}-${randomName()}`;
    try {
      this.#dir.rename(digestHex(chainID), aside);
    } catch (error) {
      if (errorCode(error) === "ENOENT") return false;
      throw error;
    }
    failpoint("snapshot.remove");
    removeTree(this.#dir, aside);
    return true;
  }

  /** ChainIDs (hex) of every extracted layer. */
  list(): string[] {
    return this.#dir
      .readdir("")
      .map(({ name }) => name)
      .filter((name) => /^[a-f0-9]{64}$/.test(name));
  }

  /** Removes extracted layers that none of `images` uses, and what dead processes left. Returns how many went. */
  prune(images: readonly { readonly layers: readonly Pick<ImageLayer, "chainID">[] }[]): number {
    const needed = new Set(images.flatMap(({ layers }) => layers.map(({ chainID }) => digestHex(chainID))));
    let removed = 0;
    for (const name of this.list()) if (!needed.has(name) && this.remove(`sha256:${name}` as Digest)) removed++;
    return removed + this.#sweep();
  }

  #sweep(): number {
    const now = this.#ports.clock.now().sec;
    let removed = 0;
    for (const { name } of this.#dir.readdir("")) {
      const since = Number(/^tmp-(\d+)-/.exec(name)?.[1] ?? Number.NaN);
      if (!(now - since > LEASE_MAX_AGE_SEC)) continue;
      removeTree(this.#dir, name);
      removed++;
    }
    return removed;
  }

  /** Bytes that an extracted layer takes on disk (allocated blocks; hard links once). */
  usage(chainID: Digest): number {
    const seen = new Set<number>();
    const sum = (path: ByteString): number => {
      let bytes = 0;
      for (const { name } of this.#dir.readdir(path)) {
        const at = `${path}/${name}`;
        const stat = this.#dir.stat(at);
        if (stat === undefined || seen.has(stat.ino)) continue;
        if (stat.nlink > 1 && stat.type !== "dir") seen.add(stat.ino);
        bytes += stat.blocks * 512 + (stat.type === "dir" ? sum(at) : 0);
      }
      return bytes;
    };
    return sum(digestHex(chainID));
  }
}
