// `export` and `import`: a container's whole filesystem as one tar, and a tar as an image of one layer.
import { createGunzip } from "node:zlib";
import { Readable } from "node:stream";
import {
  LapError,
  familiarReference,
  formatReference,
  type DirFs,
  type ExecConfig,
  type Reference,
} from "@lapstrake/base";
import { openDirFs } from "@lapstrake/core";
import { TarParser, layerTar, mergeLayers, readUpper, type Image, type LayerTree } from "@lapstrake/layers";
import { withUpper } from "../containers/changes.ts";
import type { Engine } from "../engine.ts";
import { emitContainer } from "../events/emit.ts";
import { emitImage } from "../events/image-events.ts";
import { hasManyIds, isRootless } from "../sandbox/rootless.ts";
import { lowerDirs } from "../sandbox/rootfs.ts";
import { wasmLowers } from "../sandbox/wasm-layers.ts";
import type { ContainerRecord } from "../state/record.ts";
import { imageTrees } from "./trees.ts";

const GZIP = [0x1f, 0x8b];

/** Hands the tar of everything the container sees of its image and its changes to `use`, chunk by chunk. */
export async function exportContainer(
  engine: Engine,
  record: ContainerRecord,
  use: (tar: AsyncIterable<Uint8Array>) => Promise<void>,
): Promise<void> {
  if (record.kind !== "wasm" && (record.rootfs.kind !== "image" || record.image.id === undefined)) {
    throw new LapError("unimplemented", "ERR_LAP_EXPORT_NO_IMAGE", "only containers of images can be exported", {
      hint: "see the changes alone with: lap diff, or make an image of them with: lap commit",
    });
  }
  emitContainer(engine.context, record, "export");
  await withImageTrees(engine, record, (lowers) =>
    withUpper(engine, record, (upper) => {
      const { root, links } = mergeLayers([...lowers, upper]);
      return use(layerTar({ root, hasLinks: links.size > 0 }));
    }),
  );
}

/** The image's layers, lowest first: of the extracted ones only names lie in memory. Their owners are true where there are many ids. */
async function withImageTrees<T>(
  engine: Engine,
  record: ContainerRecord,
  use: (trees: readonly LayerTree[]) => Promise<T>,
): Promise<T> {
  const { paths } = engine.context;
  if (record.kind === "wasm") return use(await wasmLowers(paths.root, engine.dir(record), record));
  if (!hasManyIds()) return use(await imageTrees(paths.root, record.image.id!));
  const dirs: DirFs[] = [];
  try {
    for (const path of lowerDirs(paths, record)) dirs.push(openDirFs(path));
    const overlayXattrs = isRootless() ? "user" : "trusted";
    return await use(dirs.map((dir) => readUpper(dir, { overlayXattrs })).toReversed());
  } finally {
    for (const dir of dirs) dir.close();
  }
}

/** What an import says besides the files. */
export interface ImportRequest {
  readonly reference?: Reference | undefined;
  readonly message: string;
  readonly config?: ExecConfig | undefined;
}

/** Makes an image of one layer from a tar, plain or gzip. Throws `ERR_LAP_TAR_…` for what is none. */
export async function importImage(
  engine: Engine,
  stream: AsyncIterable<Uint8Array>,
  request: ImportRequest,
): Promise<Image> {
  const { store } = await engine.images();
  const layer = checkedTar(await unpacked(stream));
  const image = await store.commit({ layer, config: request.config, history: { comment: request.message } });
  if (request.reference !== undefined) store.tag(image.id, formatReference(request.reference));
  emitImage(engine.context, image, "import", request.reference && familiarReference(request.reference));
  return image;
}

/** The same bytes, with a parser looking on. */
export async function* checkedTar(stream: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const parser = new TarParser({ member() {}, data() {}, end() {} });
  for await (const chunk of stream) {
    parser.push(chunk);
    yield chunk;
  }
  parser.finish();
}

/** Plain bytes of a stream that may be gzip. */
export async function unpacked(stream: AsyncIterable<Uint8Array>): Promise<AsyncIterable<Uint8Array>> {
  const chunks = stream[Symbol.asyncIterator]();
  const first = await chunks.next();
  const head: Uint8Array = first.done === true ? new Uint8Array() : first.value;
  async function* whole(): AsyncGenerator<Uint8Array> {
    if (head.length > 0) yield head;
    yield* { [Symbol.asyncIterator]: () => chunks };
  }
  if (head[0] !== GZIP[0] || head[1] !== GZIP[1]) return whole();
  return Readable.from(whole()).pipe(createGunzip());
}
