// A layer's tar -> its tree. Bytes of files stay where they are in the archive's buffer: the tree holds slices.
import type { ByteString } from "@lapstrake/base";
import { TarParser, type TarSink } from "../tar/parser.ts";
import type { TarMember } from "../tar/member.ts";
import { LapError } from "@lapstrake/base";
import { MAX_LINK_TARGET_BYTES } from "../limits.ts";
import { LayerBuilder, type LayerMode } from "./builder.ts";
import { contentOf, type Piece } from "./content.ts";
import { show } from "./names.ts";
import { TreeNode, type LayerTree } from "./node.ts";

/** The tree of a whole archive in memory; `bytes` must not change afterwards. */
export function treeFromTar(bytes: Uint8Array, mode: LayerMode = "spec"): LayerTree {
  const sink = new TreeSink(mode);
  const parser = new TarParser(sink);
  parser.push(bytes);
  parser.finish();
  return sink.finish();
}

/** The tree of an archive that arrives in chunks, which are kept. */
export async function treeFromStream(chunks: AsyncIterable<Uint8Array>, mode: LayerMode = "spec"): Promise<LayerTree> {
  const sink = new TreeSink(mode);
  const parser = new TarParser(sink);
  for await (const chunk of chunks) parser.push(chunk);
  parser.finish();
  return sink.finish();
}

class TreeSink implements TarSink {
  readonly #builder: LayerBuilder;
  #node: TreeNode | undefined;
  #size = 0;
  #pieces: Piece[] = [];

  constructor(mode: LayerMode) {
    this.#builder = new LayerBuilder({ mode });
  }

  member(member: TarMember): void {
    this.#node = undefined;
    if (member.type === "hardlink") {
      this.#builder.link(member.path, member.target);
      return;
    }
    const node = nodeOfMember(member);
    this.#builder.add(member.path, node);
    this.#node = node;
    this.#size = member.size;
    this.#pieces = [];
  }

  data(bytes: Uint8Array, start: number): void {
    this.#pieces.push({ start, bytes });
  }

  end(): void {
    if (this.#node?.type === "file") this.#node.content = contentOf(this.#size, this.#pieces);
  }

  finish(): LayerTree {
    return this.#builder.finish();
  }
}

/** The node of a member that is no hard link; content comes later. Checks what the kernel would refuse. */
export function nodeOfMember(member: TarMember): TreeNode {
  const { type, mode, uid, gid, mtimeSec, mtimeNsec, atimeSec, atimeNsec, rdevMajor, rdevMinor, target } = member;
  if (type === "hardlink") throw new TypeError("a hard link has no node of its own");
  if (type === "symlink" && (target === "" || target.length > MAX_LINK_TARGET_BYTES)) {
    throw new LapError(
      "invalidArgument",
      "ERR_LAP_LAYER_INVALID",
      `invalid layer: "${show(member.path)}": bad link target`,
    );
  }
  const xattrs = keptXattrs(member.xattrs);
  const times = { mtimeSec, mtimeNsec, atimeSec, atimeNsec };
  return new TreeNode({ type, mode, uid, gid, ...times, rdevMajor, rdevMinor, target, xattrs });
}

/**
 * A layer must not steer the kernel's overlay: `user.overlay.*` is dropped (mounts in a user namespace obey it);
 * `trusted.overlay.*` stays data, and is escaped when it goes to disk.
 */
function keptXattrs(xattrs: TarMember["xattrs"]): ReadonlyMap<ByteString, Uint8Array> | undefined {
  if (xattrs === undefined) return undefined;
  const kept = [...xattrs].filter(([name]) => !name.startsWith("user.overlay."));
  return kept.length === 0 ? undefined : new Map(kept);
}
