// Mounts as docker's inspect shows them: `Mounts`, and what the host configuration says of them.
import { join } from "node:path";
import type { CreateRequest } from "../containers/request.ts";
import type { StorePaths } from "../state/layout.ts";
import type { ContainerRecord } from "../state/record.ts";
import type { MountRequest, RecordMount } from "./types.ts";

type Shown = Readonly<Record<string, unknown>>;

/** The `Mounts` of a container. */
export function mountObjects(paths: StorePaths, { mounts = [] }: ContainerRecord): Shown[] {
  return mounts.filter(({ unlisted }) => unlisted !== true).map((mount) => mountObject(paths, mount));
}

function mountObject(paths: StorePaths, mount: RecordMount): Shown {
  const { type, source, target, mode, readOnly, propagation } = mount;
  const isVolume = type === "volume";
  return {
    Type: type,
    ...(isVolume ? { Name: source } : {}),
    Source: isVolume ? join(paths.root, "volumes", source, "_data") : source,
    Destination: target,
    ...(isVolume ? { Driver: "local" } : {}),
    Mode: mode,
    RW: !readOnly,
    Propagation: propagation ?? "",
  };
}

/** `HostConfig.Mounts`; absent without `--mount`. */
export function mountRequests({ mounts }: CreateRequest): { readonly Mounts?: readonly Shown[] } {
  return mounts === undefined || mounts.length === 0 ? {} : { Mounts: mounts.map(requestObject) };
}

function requestObject(mount: MountRequest): Shown {
  const { type, source, target, readOnly } = mount;
  return {
    Type: type,
    ...(source === undefined ? {} : { Source: source }),
    Target: target,
    ...(readOnly === true ? { ReadOnly: true } : {}),
    ...section("BindOptions", bindOptions(mount)),
    ...section("VolumeOptions", volumeOptions(mount)),
    ...section("ImageOptions", type === "image" && mount.subpath !== undefined ? { Subpath: mount.subpath } : {}),
    ...section("TmpfsOptions", tmpfsOptions(mount)),
  };
}

function section(name: string, options: Shown): Shown {
  return Object.keys(options).length === 0 ? {} : { [name]: options };
}

function bindOptions({ propagation, recursive, createSource }: MountRequest): Shown {
  return {
    ...(propagation === undefined ? {} : { Propagation: propagation }),
    ...(recursive === "disabled" ? { NonRecursive: true } : {}),
    ...(createSource === true ? { CreateMountpoint: true } : {}),
    ...(recursive === "writable" ? { ReadOnlyNonRecursive: true } : {}),
    ...(recursive === "readonly" ? { ReadOnlyForceRecursive: true } : {}),
  };
}

function volumeOptions(mount: MountRequest): Shown {
  if (mount.type !== "volume") return {};
  const { noCopy, volumeLabels, subpath, volumeDriver, volumeOptions: options } = mount;
  const driver = {
    ...(volumeDriver === undefined ? {} : { Name: volumeDriver }),
    ...(options === undefined ? {} : { Options: options }),
  };
  return {
    ...(noCopy === true ? { NoCopy: true } : {}),
    ...(volumeLabels === undefined ? {} : { Labels: volumeLabels }),
    ...(subpath === undefined ? {} : { Subpath: subpath }),
    ...section("DriverConfig", driver),
  };
}

function tmpfsOptions({ tmpfsSizeBytes, tmpfsMode }: MountRequest): Shown {
  return {
    ...(tmpfsSizeBytes === undefined ? {} : { SizeBytes: tmpfsSizeBytes }),
    ...(tmpfsMode === undefined ? {} : { Mode: tmpfsMode }),
  };
}

/** `HostConfig.Binds`: what `-v` said that is no anonymous volume. */
export function bindTexts({ binds = [] }: CreateRequest): readonly string[] | null {
  const named = binds.filter((text) => text.includes(":"));
  return named.length === 0 ? null : named;
}

/** `Config.Volumes`: targets of anonymous volumes. */
export function volumeTargets({ mounts = [] }: ContainerRecord): Readonly<Record<string, Shown>> | null {
  const targets = mounts.filter(({ anonymous }) => anonymous === true).map(({ target }) => target);
  return targets.length === 0 ? null : Object.fromEntries(targets.map((target) => [target, {}]));
}
