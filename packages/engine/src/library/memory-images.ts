// Images of a store in memory, or of one on disk that is only read: layers as trees, merged once per image and shared by every box.
import { readFileSync, statSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { LapError, errorCode, parsePlatform, toByteString, type DirFs } from "@lapstrake/base";
import {
  UnionFs,
  dirFsOf,
  layerTar,
  mergeLayers,
  mergeOnto,
  type Image,
  type ImageStore,
  type LoadSource,
  type MergedTree,
} from "@lapstrake/layers";
import { openNodeDir, openStore } from "../images/open.ts";
import { moduleTree } from "../sandbox/wasm-tree.ts";
import type { Snapshot, SnapshotOptions } from "./types.ts";

/** What a box in memory is made of. */
export interface MemoryImage {
  readonly name: string;
  readonly base: MergedTree;
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** Undefined for a bare module and for `scratch`. */
  readonly image: Image | undefined;
}

/** The platforms of WebAssembly images, in the order they are looked for. */
const PLATFORMS: readonly (string | undefined)[] = ["wasip1/wasm", "wasi/wasm", undefined];

export class MemoryImages implements Disposable {
  readonly #dir: DirFs;
  readonly #store: ImageStore;
  readonly #known = new Map<string, Promise<MergedTree>>();

  /** With `root` the images of that store, which is not changed. */
  constructor(root: string | undefined) {
    this.#dir = root === undefined ? dirFsOf(UnionFs.create([])) : openNodeDir(join(root, "images"));
    this.#store = openStore(this.#dir);
  }

  /** By name, by id, `scratch`, or the path of a .wasm file. */
  async resolve(name: string, platform: string | undefined): Promise<MemoryImage> {
    if (name === "scratch") return plain(name, mergeLayers([]), []);
    if (/^(?:\/|\.\.?\/)/.test(name)) return moduleImage(name);
    const image = this.#find(name, platform);
    const { Entrypoint, Cmd, Env, WorkingDir } = image.config.config ?? {};
    return {
      name,
      image,
      base: await this.#merged(image),
      entrypoint: Entrypoint ?? [],
      command: Cmd ?? [],
      env: Object.fromEntries((Env ?? []).map(splitEnv)),
      cwd: WorkingDir === undefined || WorkingDir === "" ? "/" : WorkingDir,
    };
  }

  #find(name: string, platform: string | undefined): Image {
    for (const wanted of platform === undefined ? PLATFORMS : [platform]) {
      try {
        return this.#store.resolve(name, wanted === undefined ? undefined : parsePlatform(wanted));
      } catch (error) {
        if (!(error instanceof LapError) || error.code !== "ERR_LAP_NO_PLATFORM") throw error;
      }
    }
    throw new LapError("notFound", "ERR_LAP_NO_PLATFORM", `"${name}" is for other platforms`);
  }

  #merged(image: Image): Promise<MergedTree> {
    const known = this.#known.get(image.id) ?? this.#store.loadTrees(image).then((trees) => mergeLayers(trees));
    this.#known.set(image.id, known);
    return known;
  }

  /** Loads a folder or an archive. */
  async load(path: string, stream: () => Extract<LoadSource, { kind: "stream" }>): Promise<string[]> {
    if (!statSync(path).isDirectory()) return names(await this.#store.load(stream()));
    using dir = openNodeDir(path);
    return names(await this.#store.load({ kind: "dir", dir }));
  }

  /** Commits what `fs` changed. */
  async snapshot(fs: UnionFs, from: MemoryImage, { name, message }: SnapshotOptions): Promise<Snapshot> {
    const whole = from.image === undefined ? mergeOnto(from.base, fs.upperTree()) : undefined;
    const layer = whole === undefined ? fs.upperTree() : { root: whole.root, hasLinks: whole.links.size > 0 };
    const image = await this.#store.commit({
      base: from.image,
      layer: layerTar(layer),
      config: whole === undefined ? {} : { Entrypoint: [...from.entrypoint] },
      history: message === undefined ? {} : { comment: message },
    });
    if (name !== undefined) this.#store.tag(image.id, name);
    return { id: image.id, image: name ?? image.id };
  }

  [Symbol.dispose](): void {
    this.#dir.close();
  }
}

function names(loaded: readonly { readonly reference?: string | undefined; readonly id: string }[]): string[] {
  return loaded.map(({ reference, id }) => reference ?? id);
}

function moduleImage(path: string): MemoryImage {
  const name = basename(path);
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(resolve(path));
  } catch (cause) {
    if (errorCode(cause) !== "ENOENT" && errorCode(cause) !== "EISDIR") throw cause;
    throw new LapError("notFound", "ERR_LAP_NO_MODULE", `"${path}" is not a file`, { cause });
  }
  return plain(path, mergeLayers([moduleTree(toByteString(name), bytes)]), [`/${name}`]);
}

function plain(name: string, base: MergedTree, entrypoint: readonly string[]): MemoryImage {
  return { name, base, entrypoint, command: [], env: {}, cwd: "/", image: undefined };
}

function splitEnv(line: string): [string, string] {
  const at = line.indexOf("=");
  return [line.slice(0, at), line.slice(at + 1)];
}
