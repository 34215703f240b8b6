// OCI layers, images and the union filesystem: pure TypeScript over injected ports. Start reading at fs/union-fs.ts and tree/node.ts.
export {
  OPEN,
  RENAME,
  type Attr,
  type AttrChange,
  type DirItem,
  type FsChange,
  type FsUsage,
  type Handle,
  type Identity,
  type Ino,
  type InodeFs,
} from "./fs/inode-fs.ts";
export { UnionFs } from "./fs/union-fs.ts";
export type { UnionFsOptions } from "./fs/state.ts";
export { resolvePath, type Resolved, type ResolveOptions } from "./fs/resolve-path.ts";
export {
  LowerLink,
  TreeNode,
  emptyTree,
  type LayerTree,
  type MergedTree,
  type NodeInit,
  type TreeChild,
} from "./tree/node.ts";
export { BytesContent, contentBytes, type Content, type Extent } from "./tree/content.ts";
export { LayerBuilder, type LayerMode } from "./tree/builder.ts";
export { findNode, mergeLayers, mergeOnto } from "./tree/merge.ts";
export { treeEntries, type LayerEntry } from "./tree/entries.ts";
export { diffTrees, treeChanges, type Change, type LowerView } from "./tree/changes.ts";
