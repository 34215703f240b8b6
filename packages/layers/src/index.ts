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
export { dirFsOf } from "./fs/inode-dirfs.ts";
export { nodeFs, type CallbackFacade, type NodeFs, type PromisesFacade } from "./facade/node-fs.ts";
export { Dirent, Stats } from "./facade/stats.ts";
export type { SyncFacade } from "./facade/sync.ts";
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
export { findNode, mergeLayers, mergeOnto, resolveDir } from "./tree/merge.ts";
export { diffLayer } from "./tree/diff.ts";
export { configureImage, rebaseImage, squashImage, type SquashOptions } from "./image/mutate.ts";
export { treeEntries, type LayerEntry } from "./tree/entries.ts";
export { diffTrees, treeChanges, type Change, type LowerView } from "./tree/changes.ts";
export { filesLayer, type FilesOptions } from "./tree/from-files.ts";
export { treeFromStream, treeFromTar } from "./tree/from-tar.ts";
export { TarParser, parseTar, type TarOptions, type TarSink } from "./tar/parser.ts";
export type { TarMember } from "./tar/member.ts";
export { writeTar } from "./tar/writer.ts";
export { extractLayer, type ExtractOptions } from "./disk/extract.ts";
export { readUpper, type ReadOptions } from "./disk/read-tree.ts";
export { removeTree, type WriteOptions } from "./disk/layer-writer.ts";
export type { OverlayXattrs } from "./disk/overlay-xattrs.ts";
export { StackView } from "./disk/stack-view.ts";
export { layerTar, loadUpper, upperChanges, writeUpper } from "./disk/upper.ts";
export { writeTree } from "./disk/write-tree.ts";
export { openImageStore, type ImageStore, type RemovedImages } from "./image/store.ts";
export { openSnapshotStore, type SnapshotOptions, type SnapshotStore } from "./image/snapshots.ts";
export type { Image, ImageLayer, ImageSummary } from "./image/image.ts";
export type { LoadSource, LoadedImage } from "./image/load.ts";
export type { TargetPlatform } from "./image/platforms.ts";
export type { CommitOptions } from "./image/commit.ts";
export type { BlobSource } from "./image/source.ts";
export type { StagedBlob, Staging } from "./image/blobs.ts";
export type { ImportOptions, LayerUnpacker } from "./image/import.ts";
export type { GcResult } from "./image/gc.ts";
export type { CheckOptions, StoreProblem } from "./image/check.ts";
export { isImageDamage } from "./image/files.ts";
export type { StorePorts } from "./image/ports.ts";
export type { BlobStore, StoredBlob } from "./image/blobs.ts";
export { RegistryClient, openRegistryClient } from "./registry/client.ts";
export type { AppendOptions } from "./registry/append.ts";
export type { BlobOutcome, ContentSink, ContentSource, TransferOptions } from "./registry/content.ts";
export type { ParsedDocument } from "./registry/documents.ts";
export { dockerCredentials, parseDockerConfig, type DockerConfig, type HelperPort } from "./registry/docker-config.ts";
export { eraseLogin, storeLogin } from "./registry/login.ts";
export { LayoutSink, layoutSource } from "./registry/layout.ts";
export type { FetchedDocument } from "./registry/manifests.ts";
export { importImage, type PullOptions } from "./registry/import-image.ts";
export type { PulledImage } from "./registry/pull.ts";
export type { CopyOptions, CopySource, CopyTarget, PushOptions, PushedImage } from "./registry/push.ts";
export { StoreSource, storeSource } from "./registry/store-source.ts";
export type {
  CallOptions,
  Credential,
  CredentialSource,
  Endpoint,
  Mirror,
  RegistryHost,
  RegistryOptions,
  Repository,
  RetryPolicy,
} from "./registry/types.ts";
export type { UploadOptions } from "./registry/upload.ts";
export { setFailpointHook } from "./image/failpoint.ts";
export { unionOf, type BranchUnion } from "./branches/branch-union.ts";
export type { Branch, BranchMode } from "./branches/branch-view.ts";
