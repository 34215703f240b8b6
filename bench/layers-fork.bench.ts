// What must not depend on the size of the image: forking a tree of 1 MB and of 1 GB; committing ten files on a small image and on the Debian.
import { join } from "node:path";
import { openDirFs } from "@lapstrake/core";
import {
  BytesContent,
  LayerBuilder,
  OPEN,
  TreeNode,
  UnionFs,
  layerTar,
  openImageStore,
  type Image,
  type ImageStore,
} from "@lapstrake/layers";
import { openMemDir } from "@lapstrake/layers/memfs";
import { nodePorts } from "@lapstrake/layers/node";
import type { Variant } from "./harness.ts";
import { debianFixture } from "./layers-fixture.ts";
import type { OpenSuite } from "./main.ts";

const FORKS = 200;

/** A filesystem with one changed file of `size` bytes. */
function filled(size: number): UnionFs {
  const fs = UnionFs.create([]);
  const { handle } = fs.create(fs.root, "data", 0o644, OPEN.write);
  const chunk = new Uint8Array(1 << 20).fill(1);
  for (let at = 0; at < size; at += chunk.length) fs.write(handle, chunk, 0, chunk.length, at);
  fs.close(handle);
  fs.freeze();
  return fs;
}

function forking(name: string, fs: UnionFs): Variant {
  return {
    name,
    async run() {
      for (let i = 0; i < FORKS; i++) fs.fork();
      await Promise.resolve();
    },
  };
}

function committing(name: string, store: ImageStore, image: Image, fs: UnionFs): Variant {
  const out = openImageStore(openMemDir(), nodePorts);
  const base = { ...image, size: 0 };
  return {
    name,
    async run() {
      const fork = fs.fork();
      for (let i = 0; i < 10; i++) {
        const { handle } = fork.create(fork.root, `new-${i}`, 0o644, OPEN.write);
        fork.write(handle, new Uint8Array(1000).fill(i), 0, 1000, 0);
        fork.close(handle);
      }
      await out.commit({ base, layer: layerTar(fork.upperTree()) });
    },
  };
}

async function small(store: ImageStore): Promise<Image> {
  const builder = new LayerBuilder();
  const content = new BytesContent(new Uint8Array(1 << 20));
  builder.add("data", new TreeNode({ type: "file", mode: 0o644, content }));
  return await store.commit({ layer: layerTar(builder.finish()) });
}

export async function open(): Promise<OpenSuite> {
  const dir = openDirFs(join(await debianFixture(), "store"));
  const debian = openImageStore(dir, nodePorts);
  const big = debian.resolve("debian:layers");
  const memory = openImageStore(openMemDir(), nodePorts);
  const little = await small(memory);
  const trees = [UnionFs.create(await memory.loadTrees(little)), UnionFs.create(await debian.loadTrees(big))] as const;
  return {
    suite: {
      title: `${FORKS} forks; a commit of ten files`,
      reference: "fork, 1 MB",
      rounds: 11,
      warmup: 3,
      variants: [
        forking("fork, 1 MB", filled(1 << 20)),
        forking("fork, 1 GB", filled(1 << 30)),
        forking("fork, Debian of 550 MB", trees[1]),
        committing("commit on 1 MB", memory, little, trees[0]),
        committing("commit on 550 MB", debian, big, trees[1]),
      ],
      thresholds: [
        { subject: "fork, 1 GB", reference: "fork, 1 MB", atMost: 2 },
        { subject: "fork, Debian of 550 MB", reference: "fork, 1 MB", atMost: 2 },
        { subject: "commit on 550 MB", reference: "commit on 1 MB", atMost: 2 },
      ],
    },
    async [Symbol.asyncDispose]() {
      dir.close();
      await Promise.resolve();
    },
  };
}
