// What an image has at a mount's target: copied into a volume that is empty, with owners, modes, times, attributes and links, as
// docker does. The copy is made aside and comes into the volume by rename.
import { mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { LapError, toByteString, type ByteString, type Digest } from "@lapstrake/base";
import { openDirFs } from "@lapstrake/core";
import { StackView, TreeNode, findNode, mergeLayers, writeTree, type TreeChild } from "@lapstrake/layers";
import { imageTrees } from "../images/trees.ts";
import { hasManyIds, isRootless } from "../sandbox/rootless.ts";
import { withDirs } from "../sandbox/rootfs.ts";
import type { StorePaths } from "../state/layout.ts";
import { randomHex } from "../state/random.ts";
import { resolveLinks } from "./resolve-links.ts";
import { volumeData } from "./volume-store.ts";

/** Where the content of a container's image is. */
export type ImageContent =
  /** Layer directories, top first. */
  | { readonly kind: "dirs"; readonly dirs: readonly string[] }
  /** A Wasm image: its blobs. */
  | { readonly kind: "blobs"; readonly id: Digest }
  /** Nothing is copied: a bare module, or the machine itself. */
  | { readonly kind: "none" };

interface View {
  lookup(path: ByteString): TreeNode | undefined;
  names(path: ByteString): readonly ByteString[];
}

/** Copies the directory at `target` into the trash; returns its place there, undefined when the image has none. */
export async function stageContent(
  paths: StorePaths,
  image: ImageContent,
  target: string,
): Promise<string | undefined> {
  if (image.kind === "none") return undefined;
  if (image.kind === "dirs") {
    const space = isRootless() ? "user" : "trusted";
    return withDirs(image.dirs, (dirs) => stage(paths, new StackView(dirs, space), target));
  }
  const { root } = mergeLayers(await imageTrees(paths.root, image.id));
  const lookup = (path: ByteString): TreeNode | undefined => findNode(root, path);
  return stage(paths, { lookup, names: (path) => [...(lookup(path)?.children?.keys() ?? [])] }, target);
}

function stage(paths: StorePaths, view: View, target: string): string | undefined {
  const { path, found } = resolveLinks((at) => view.lookup(at), toByteString(target), { follow: true, missing: true });
  if (found === undefined) return undefined;
  if (found.type !== "dir") throw overFile(target);
  const staged = join(paths.trash, `content-${randomHex(8)}`);
  mkdirSync(staged, { mode: 0o755 });
  try {
    using out = openDirFs(staged);
    writeTree({ root: subtree(view, path), hasLinks: false }, out, { owners: hasManyIds() });
    return staged;
  } catch (error) {
    rmSync(staged, { recursive: true, force: true });
    throw error;
  }
}

function subtree(view: View, path: ByteString): TreeNode {
  const node = view.lookup(path)!;
  if (node.type !== "dir") return node;
  const names = view.names(path).filter((name) => view.lookup(join(path, name))?.type !== "socket");
  const children = names.map((name): [ByteString, TreeChild] => [
    name,
    subtree(view, path === "" ? name : `${path}/${name}`),
  ]);
  return new TreeNode(node, new Map(children));
}

function overFile(target: string): LapError {
  return new LapError(
    "invalidArgument",
    "ERR_LAP_MOUNT_INVALID",
    `cannot mount volume over existing file, file exists ${target}`,
  );
}

/** Puts staged content into an empty volume; `shared` when other containers may look at the volume already. Needs the volumes' lock. */
export function adoptContent(paths: StorePaths, name: string, staged: string, shared: boolean): void {
  const data = volumeData(paths, name);
  if (!shared) {
    renameSync(staged, data);
    return;
  }
  // Whoever has the directory mounted must go on seeing it.
  for (const entry of readdirSync(staged, { encoding: "buffer" })) {
    renameSync(Buffer.concat([Buffer.from(`${staged}/`), entry]), Buffer.concat([Buffer.from(`${data}/`), entry]));
  }
  copyMetadata(staged, data);
  rmSync(staged, { recursive: true, force: true });
}

function copyMetadata(from: string, to: string): void {
  using source = openDirFs(from);
  using target = openDirFs(to);
  const stat = source.stat("")!;
  if (hasManyIds()) target.chown("", stat.uid, stat.gid);
  target.chmod("", stat.mode);
  target.utimes("", stat.atime, stat.mtime);
}
