// The mounts of a container that is being made: what they are, and how they come to exist together with it.
import { join } from "node:path";
import type { Digest, ExecConfig } from "@lapstrake/base";
import type { EngineContext } from "../context.ts";
import type { CreateRequest } from "../containers/request.ts";
import type { StorePaths } from "../state/layout.ts";
import type { RecordRootfs } from "../state/record.ts";
import { commitMounts } from "./commit-mounts.ts";
import type { ImageContent } from "./image-content.ts";
import { planMounts } from "./resolve.ts";
import type { RecordMount } from "./types.ts";

/** Mounts for the record, and how to publish it with them. */
export interface PreparedMounts {
  readonly mounts: readonly RecordMount[];
  /** Runs `publish`, which makes the container public, when its volumes are there. */
  commit<T>(publish: () => T): Promise<T>;
}

/** What is mounted, of what. */
export interface MountedSource {
  readonly rootfs: RecordRootfs;
  readonly config: ExecConfig;
  readonly imageId: Digest | undefined;
}

/** Undefined when nothing is mounted. Throws what a mount can be wrong about. */
export async function prepareMounts(
  context: EngineContext,
  request: CreateRequest,
  source: MountedSource,
): Promise<PreparedMounts | undefined> {
  const planned = await planMounts(context, request, source.config.Volumes);
  if (planned.length === 0) return undefined;
  const content = contentOf(context.paths, source);
  return {
    mounts: planned.map(({ mount }) => mount),
    commit: (publish) => commitMounts(context, planned, content, publish),
  };
}

/** The machine's own root is not copied: a volume over it starts empty. */
function contentOf(paths: StorePaths, { rootfs, imageId }: MountedSource): ImageContent {
  if (rootfs.kind !== "image") return { kind: "none" };
  if (rootfs.layers.length > 0) return { kind: "dirs", dirs: rootfs.layers.map((name) => join(paths.layers, name)) };
  return imageId === undefined ? { kind: "none" } : { kind: "blobs", id: imageId };
}
