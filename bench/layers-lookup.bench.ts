// stat of a path through one and through 127 layers: ours, memfs alone, memfs under unionfs (npm). One variant is many calls.
import { Volume, createFsFromVolume, type IFs } from "memfs";
import * as unionfs from "unionfs";
import { BytesContent, LayerBuilder, TreeNode, UnionFs, resolvePath, type LayerTree } from "@lapstrake/layers";
import type { Variant } from "./harness.ts";
import type { OpenSuite } from "./main.ts";

const FILES = 200;
const CALLS = 2000;
const DEEP = 127;

function layer(index: number): LayerTree {
  const builder = new LayerBuilder();
  for (let i = 0; i < FILES; i++) {
    const content = new BytesContent(new Uint8Array(10));
    builder.add(`usr/lib/layer${index}/file${i}`, new TreeNode({ type: "file", mode: 0o644, content }));
  }
  return builder.finish();
}

/** A path of the lowest layer, the worst case of whoever walks the layers. */
const path = (i: number): string => `usr/lib/layer0/file${i % FILES}`;

function ours(layers: number): Variant {
  const fs = UnionFs.create(Array.from({ length: layers }, (_, i) => layer(i)));
  return {
    name: `ours, ${layers} layers`,
    run() {
      let found = 0;
      for (let i = 0; i < CALLS; i++) {
        const resolved = resolvePath(fs, fs.root, path(i));
        if (typeof resolved !== "number" && fs.getattr(resolved.ino).size === 10) found++;
      }
      return check(found);
    },
  };
}

function memory(index: number): IFs {
  const volume = new Volume();
  for (let i = 0; i < FILES; i++) volume.mkdirSync(`/usr/lib/layer${index}`, { recursive: true });
  for (let i = 0; i < FILES; i++) volume.writeFileSync(`/usr/lib/layer${index}/file${i}`, "0123456789");
  return createFsFromVolume(volume);
}

function stats(name: string, fs: { statSync(path: string): { size: number | bigint } }, calls: number): Variant {
  return {
    name,
    async run() {
      const started = performance.now();
      let found = 0;
      for (let i = 0; i < calls; i++) if (Number(fs.statSync(`/${path(i)}`).size) === 10) found++;
      const elapsed = performance.now() - started;
      await check(found, calls);
      return (elapsed * CALLS) / calls;
    },
  };
}

function union(layers: number, calls: number): Variant {
  const fs = new unionfs.Union();
  for (let i = 0; i < layers; i++) fs.use(memory(i) as unknown as Parameters<typeof fs.use>[0]);
  return stats(`memfs + unionfs, ${layers} layers`, fs as unknown as Parameters<typeof stats>[1], calls);
}

async function check(found: number, calls = CALLS): Promise<void> {
  if (found !== calls) throw new Error(`${found} of ${calls} found`);
  await Promise.resolve();
}

export async function open(): Promise<OpenSuite> {
  await Promise.resolve();
  const names = { one: "ours, 1 layers", deep: `ours, ${DEEP} layers`, memfs: "memfs alone" };
  return {
    suite: {
      title: `${CALLS} stats of a file in the lowest layer`,
      reference: names.one,
      rounds: 15,
      warmup: 3,
      variants: [ours(1), ours(DEEP), stats(names.memfs, memory(0), CALLS), union(1, CALLS), union(DEEP, 50)],
      thresholds: [
        { subject: names.deep, reference: names.one, atMost: 1.25 },
        { subject: names.one, reference: names.memfs, atMost: 1 },
        { subject: names.deep, reference: `memfs + unionfs, ${DEEP} layers`, atMost: 0.01 },
      ],
    },
    async [Symbol.asyncDispose]() {
      await Promise.resolve();
    },
  };
}
