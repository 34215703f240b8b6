// Test helper: an image store in memory, with ports that use nothing of Node but hash and zlib, and a clock that stands.
import type { DirFs, Timespec } from "@lapstrake/base";
import { layerTar } from "../disk/upper.ts";
import { dirFsOf } from "../fs/inode-dirfs.ts";
import { UnionFs } from "../fs/union-fs.ts";
import type { Image } from "../image/image.ts";
import type { StorePorts } from "../image/ports.ts";
import { openImageStore, type ImageStore } from "../image/store.ts";
import { nodeCompression, nodeHash } from "../node/ports.ts";
import { layer } from "./layer.ts";

/** A clock that a test moves by hand. */
export class TestClock {
  sec = 1_700_000_000;

  now(): Timespec {
    return { sec: this.sec, nsec: 0 };
  }

  async sleep(): Promise<void> {
    await Promise.resolve();
  }
}

export interface TestStore {
  readonly store: ImageStore;
  readonly dir: DirFs;
  readonly clock: TestClock;
  readonly ports: StorePorts;
}

/** An empty store on a filesystem in memory. */
export function testStore(dir: DirFs = dirFsOf(UnionFs.create([]))): TestStore {
  const clock = new TestClock();
  const ports: StorePorts = { hash: nodeHash, compression: nodeCompression, clock };
  return { store: openImageStore(dir, ports), dir, clock, ports };
}

/** Commits layers, each a list of members as {@link layer} takes it, and names the result. */
export async function makeImage(
  store: ImageStore,
  layers: readonly (readonly string[])[],
  name?: string,
): Promise<Image> {
  let image: Image | undefined;
  for (const members of layers) {
    const below: Image | undefined = image;
    image = await store.commit({ base: below, layer: layerTar(layer(members)), created: "2026-01-01T00:00:00Z" });
    if (below !== undefined) store.remove(below.id);
  }
  if (image === undefined) throw new Error("an image needs a layer");
  if (name !== undefined) store.tag(image.id, name);
  return image;
}

/** All chunks in one piece. */
export async function collect(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    parts.push(chunk);
    length += chunk.length;
  }
  const out = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

export async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield await Promise.resolve(bytes);
}
