// CreateRequest + image -> the mounts of a container, with docker's precedence: --volumes-from, then -v and --mount, then --tmpfs,
// then the image's VOLUMEs where nothing is mounted yet. Loaded only for containers that have mounts.
import { statSync } from "node:fs";
import { LapError, errorCode, formatTimestamp, type ExecConfig } from "@lapstrake/base";
import type { EngineContext } from "../context.ts";
import type { CreateRequest } from "../containers/request.ts";
import { findContainer } from "../state/containers.ts";
import { randomHex } from "../state/random.ts";
import { checkMount, cleanTarget, invalidMount } from "./check-mount.ts";
import { checkVolumeOptions } from "./local-options.ts";
import { parseBind, parseVolumesFrom } from "./parse-bind.ts";
import { tmpfsMountOptions, tmpfsOptions } from "./tmpfs-options.ts";
import type { MountRequest, RecordMount } from "./types.ts";
import { ANONYMOUS_LABEL, checkVolumeName, type VolumeRecord } from "./volume-record.ts";

/** A mount, and the volume to make for it. */
export interface PlannedMount {
  readonly mount: RecordMount;
  /** The volume as it is made when it does not exist. */
  readonly volume?: VolumeRecord;
  /** The image's content at the target comes into the volume when it is empty. */
  readonly copyUp: boolean;
}

/** Every mount by target. Throws `ERR_LAP_MOUNT_INVALID`, `ERR_LAP_NO_CONTAINER`, and what a volume can be wrong about. */
export async function planMounts(
  context: EngineContext,
  request: CreateRequest,
  volumes: ExecConfig["Volumes"],
): Promise<PlannedMount[]> {
  const planned = new Map<string, PlannedMount>();
  for (const text of request.volumesFrom ?? []) {
    for (const mount of mountsOf(context, text)) planned.set(mount.target, { mount, copyUp: false });
  }
  const own = new Set<string>();
  const add = (each: PlannedMount): void => {
    const { target } = each.mount;
    if (own.has(target)) throw duplicate(target);
    own.add(target);
    planned.set(target, each);
  };
  const now = timestamp(context);
  for (const text of request.binds ?? []) {
    const { mount, mode } = parseBind(text);
    add(planOne(mount, now, mode));
  }
  for (const mount of request.mounts ?? []) {
    checkMount(mount);
    add(mount.type === "image" ? await planImage(context, mount) : planOne(mount, now, ""));
  }
  for (const [target, text] of Object.entries(request.tmpfs ?? {})) add(planTmpfs(target, text));
  for (const path of Object.keys(volumes ?? {})) {
    const target = cleanTarget(path);
    if (!planned.has(target)) planned.set(target, planOne({ type: "volume", target }, now, ""));
  }
  return [...planned.values()];
}

function timestamp(context: EngineContext): string {
  const { sec } = context.clock.now();
  return formatTimestamp(sec, 0);
}

function mountsOf(context: EngineContext, text: string): RecordMount[] {
  const { container, readOnly } = parseVolumesFrom(text);
  const { mounts = [] } = findContainer(context.paths, container);
  // They belong to the other container, and are removed with it.
  return mounts
    .filter(({ unlisted }) => unlisted !== true)
    .map((mount) => ({ ...mount, readOnly: mount.readOnly || readOnly }));
}

function planOne(mount: MountRequest, now: string, mode: string): PlannedMount {
  const base = { target: cleanTarget(mount.target), readOnly: mount.readOnly === true };
  if (mount.type === "tmpfs") {
    return { mount: { ...base, type: "tmpfs", source: "", mode, options: tmpfsMountOptions(mount) }, copyUp: false };
  }
  if (mount.type === "bind") return { mount: planBind(mount, { ...base, mode }), copyUp: false };
  const volume = plannedVolume(mount, now);
  const isAnonymous = mount.source === undefined;
  return {
    mount: {
      ...base,
      type: "volume",
      source: volume.name,
      mode: mode === "" && !isAnonymous ? "z" : mode,
      ...(isAnonymous ? { anonymous: true } : {}),
      ...(mount.subpath === undefined ? {} : { subpath: mount.subpath }),
      ...(mount.idmap === true ? { idmap: true } : {}),
    },
    volume,
    copyUp: mount.noCopy !== true && mount.subpath === undefined,
  };
}

function planBind(mount: MountRequest, base: Pick<RecordMount, "target" | "readOnly" | "mode">): RecordMount {
  const source = cleanTarget(mount.source ?? "");
  if (mount.createSource !== true && !exists(source)) {
    throw invalidMount(mount, `bind source path does not exist: ${mount.source}`);
  }
  return {
    ...base,
    type: "bind",
    source,
    propagation: mount.propagation ?? "rprivate",
    ...(mount.createSource === true ? { createSource: true } : {}),
    ...(mount.recursive === undefined ? {} : { recursive: mount.recursive }),
    ...(mount.idmap === true ? { idmap: true } : {}),
  };
}

function exists(path: string): boolean {
  try {
    statSync(path);
    return true;
  } catch (error) {
    if (errorCode(error) === "ENOENT") return false;
    throw error;
  }
}

function plannedVolume(mount: MountRequest, createdAt: string): VolumeRecord {
  const { source, volumeLabels: labels, volumeOptions, volumeDriver = "local" } = mount;
  const name = source === undefined ? randomHex(32) : checkVolumeName(source);
  const options = volumeOptions ?? null;
  checkVolumeOptions(name, volumeDriver, options);
  const anonymous = source === undefined ? { [ANONYMOUS_LABEL]: "" } : undefined;
  const all = labels === undefined && anonymous === undefined ? null : { ...labels, ...anonymous };
  return { version: 1, name, createdAt, labels: all, options };
}

function planTmpfs(target: string, text: string): PlannedMount {
  checkMount({ type: "tmpfs", target });
  const mount: RecordMount = {
    type: "tmpfs",
    target: cleanTarget(target),
    source: "",
    readOnly: text.split(",").includes("ro"),
    mode: text,
    options: tmpfsOptions(text),
    unlisted: true,
  };
  return { mount, copyUp: false };
}

async function planImage(context: EngineContext, mount: MountRequest): Promise<PlannedMount> {
  const { imageMount } = await import("./image-mount.ts");
  return { mount: await imageMount(context, mount), copyUp: false };
}

function duplicate(target: string): LapError {
  return new LapError("invalidArgument", "ERR_LAP_MOUNT_INVALID", `Duplicate mount point: ${target}`);
}
