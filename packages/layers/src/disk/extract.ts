// A layer's tar stream -> a directory in overlay form, while the bytes pass. What overlayfs cannot show is resolved here: hard
// links into lower layers become copies, unlisted parents take the metadata below, whiteouts with nothing below are left out.
import { LapError, type ByteString, type DirFs } from "@lapstrake/base";
import type { TarMember } from "../tar/member.ts";
import { TarParser, type TarSink } from "../tar/parser.ts";
import { LayerBuilder, join, type BuilderEvents } from "../tree/builder.ts";
import type { LowerView } from "../tree/changes.ts";
import { nodeOfMember } from "../tree/from-tar.ts";
import { show } from "../tree/names.ts";
import { LowerLink, TreeNode } from "../tree/node.ts";
import { LayerWriter, type WriteOptions } from "./layer-writer.ts";

/** How a layer is extracted. */
export interface ExtractOptions extends WriteOptions {
  /** The layers below, for what the layer leaves open; absent for the lowest layer. */
  readonly lower?: LowerView | undefined;
  readonly signal?: AbortSignal | undefined;
}

const NOTHING_BELOW: LowerView = { lookup: () => undefined, names: () => [] };

/** Extracts into the empty directory `dir`. After a failure the directory holds a part and must be removed. */
export async function extractLayer(
  tar: AsyncIterable<Uint8Array>,
  dir: DirFs,
  options: ExtractOptions = {},
): Promise<void> {
  const extraction = new Extraction(dir, options);
  try {
    const parser = new TarParser(extraction);
    for await (const chunk of tar) {
      options.signal?.throwIfAborted();
      parser.push(chunk);
    }
    parser.finish();
    extraction.finish();
  } finally {
    extraction.close();
  }
}

class Extraction implements TarSink, BuilderEvents {
  readonly #writer: LayerWriter;
  readonly #builder: LayerBuilder;
  readonly #lower: LowerView;
  #size = 0;

  constructor(dir: DirFs, options: ExtractOptions) {
    this.#lower = options.lower ?? NOTHING_BELOW;
    this.#writer = new LayerWriter(dir, { ...options, lower: this.#lower });
    this.#builder = new LayerBuilder({ lower: this.#lower, events: this });
  }

  member(member: TarMember): void {
    if (member.type === "hardlink") {
      this.#builder.link(member.path, member.target);
      return;
    }
    this.#size = member.size;
    this.#builder.add(member.path, nodeOfMember(member));
  }

  data(bytes: Uint8Array, position: number): void {
    this.#writer.data(bytes, position);
  }

  end(): void {
    this.#writer.end(this.#size);
  }

  created(path: ByteString, node: TreeNode): void {
    this.#writer.created(path, node);
  }

  linked(target: ByteString, path: ByteString): void {
    this.#writer.linked(target, path);
  }

  removed(path: ByteString, node: TreeNode): void {
    this.#writer.removed(path, node);
  }

  finish(): void {
    const { root } = this.#builder.finish();
    this.#rootMetadata(root);
    this.#materialize(root, "");
    this.#writer.finish(root);
  }

  /** A layer that does not list its root takes the root below. */
  #rootMetadata(root: TreeNode): void {
    const below = root.implied ? this.#lower.lookup("") : undefined;
    if (below !== undefined) Object.assign(root, metadataOf(below));
  }

  /** Hard links into lower layers become copies: overlayfs links nothing across layers. */
  #materialize(dir: TreeNode, path: ByteString): void {
    for (const [name, child] of dir.children!) {
      const at = join(path, name);
      if (child instanceof TreeNode && child.type === "dir") this.#materialize(child, at);
      if (!(child instanceof LowerLink)) continue;
      const node = this.#lower.lookup(child.target);
      if (node === undefined || node.type === "dir") {
        throw new LapError(
          "invalidArgument",
          "ERR_LAP_LAYER_INVALID",
          `invalid layer: hard link target "${show(child.target)}" does not exist`,
        );
      }
      dir.children!.set(name, node);
      this.#writer.created(at, node);
      if (node.content !== undefined) this.#writer.copy(node.content);
    }
  }

  close(): void {
    this.#writer.close();
  }
}

function metadataOf({ mode, uid, gid, mtimeSec, mtimeNsec, atimeSec, atimeNsec }: TreeNode): Partial<TreeNode> {
  return { mode, uid, gid, mtimeSec, mtimeNsec, atimeSec, atimeNsec };
}
