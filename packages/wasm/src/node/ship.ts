// A tree of layers as one message between threads: plain nodes, and all file bytes in one piece of shared memory.
// The receiver's files are slices of that memory; nothing is copied twice.
import { BytesContent, TreeNode, LowerLink, type LayerTree, type MergedTree, type TreeChild } from "@lapstrake/layers";
import type { ByteString } from "@lapstrake/base";

/** Fields of a node as they are; `bytes` is its file's place in the memory. */
interface PlainNode {
  readonly fields: Omit<TreeNode, "children" | "content" | "size">;
  readonly bytes?: readonly [start: number, length: number];
  /** Names and what they are: a node's index, -1 a whiteout, text a link into lower layers. */
  readonly children?: readonly (readonly [ByteString, number | ByteString])[];
}

/** A tree in a form that postMessage takes. */
export interface ShippedTree {
  readonly nodes: readonly PlainNode[];
  readonly memory: SharedArrayBuffer;
  /** Index and number of names of nodes with several. */
  readonly links: readonly (readonly [index: number, names: number])[];
}

const WHITEOUT = -1;

/** Packs a tree; file bytes are copied into shared memory once. */
export function shipTree(tree: LayerTree | MergedTree): ShippedTree {
  const order = numberNodes(tree.root);
  const files = [...order.keys()].filter(({ type, size }) => type === "file" && size > 0);
  const memory = new SharedArrayBuffer(files.reduce((sum, { size }) => sum + size, 0));
  const places = new Map<TreeNode, [number, number]>();
  let at = 0;
  for (const file of files) {
    places.set(file, [at, copyContent(file, new Uint8Array(memory, at, file.size))]);
    at += file.size;
  }
  const nodes = [...order.keys()].map((node) => plainNode(node, order, places.get(node)));
  const links = "links" in tree ? [...tree.links].map(([node, names]) => [order.get(node)!, names] as const) : [];
  return { nodes, memory, links: links.filter(([index]) => index !== undefined) };
}

/** Every node once, the root first. */
function numberNodes(root: TreeNode): Map<TreeNode, number> {
  const order = new Map<TreeNode, number>([[root, 0]]);
  for (const node of order.keys()) {
    for (const child of node.children?.values() ?? []) {
      if (child instanceof TreeNode && !order.has(child)) order.set(child, order.size);
    }
  }
  return order;
}

/** Bytes copied. */
function copyContent(node: TreeNode, into: Uint8Array): number {
  let done = 0;
  while (done < into.length) {
    const count = node.content?.read(done, into, done, into.length - done) ?? 0;
    if (count === 0) break;
    done += count;
  }
  return done;
}

function plainNode(
  node: TreeNode,
  order: ReadonlyMap<TreeNode, number>,
  bytes: readonly [number, number] | undefined,
): PlainNode {
  const { children, content: _content, ...fields } = node;
  return {
    fields: fields as PlainNode["fields"],
    ...(bytes === undefined ? {} : { bytes }),
    ...(children === undefined
      ? {}
      : { children: [...children].map(([name, child]) => [name, mark(child, order)] as const) }),
  };
}

function mark(child: TreeChild, order: ReadonlyMap<TreeNode, number>): number | ByteString {
  if (child === null) return WHITEOUT;
  return child instanceof LowerLink ? child.target : order.get(child)!;
}

/** The layer of a message. */
export function unshipLayer(shipped: ShippedTree): LayerTree {
  return { root: restore(shipped)[0]!, hasLinks: true };
}

/** The merged layers of a message. */
export function unshipMerged(shipped: ShippedTree): MergedTree {
  const nodes = restore(shipped);
  return { root: nodes[0]!, links: new Map(shipped.links.map(([index, names]) => [nodes[index]!, names])) };
}

function restore({ nodes, memory }: ShippedTree): TreeNode[] {
  const out = nodes.map((plain) => restoreNode(plain, memory));
  for (const [index, { children }] of nodes.entries()) {
    for (const [name, what] of children ?? []) {
      const child = typeof what === "string" ? new LowerLink(what) : what === WHITEOUT ? null : out[what]!;
      out[index]!.children!.set(name, child);
    }
  }
  return out;
}

function restoreNode({ fields, bytes }: PlainNode, memory: SharedArrayBuffer): TreeNode {
  const slice = new Uint8Array(memory, bytes?.[0] ?? 0, bytes?.[1] ?? 0);
  const node = new TreeNode({ ...fields, content: fields.type === "file" ? new BytesContent(slice) : undefined });
  return Object.assign(node, { opaque: fields.opaque, implied: fields.implied, closed: fields.closed });
}
