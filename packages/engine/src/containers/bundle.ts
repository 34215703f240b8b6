// ContainerRecord -> Bundle for core: the spec, the root filesystem and the supervisor's orders.
import { join } from "node:path";
import type { Bundle, LaunchOptions } from "@lapstrake/core";
import type { MountSpec, RuntimeSpec } from "@lapstrake/base";
import type { PreparedNetwork } from "../network/attach.ts";
import { hasRestartPolicy } from "../restart/state.ts";
import type { StorePaths } from "../state/layout.ts";
import { dirOf } from "../state/containers.ts";
import type { ContainerRecord } from "../state/record.ts";
import { MergedView } from "../sandbox/merged-view.ts";
import { isRootless, rootlessSpec } from "../sandbox/rootless.ts";
import { prepareRootfs, withDirs } from "../sandbox/rootfs.ts";
import { mapOwner } from "./id-map.ts";
import { managedFileMounts } from "./managed-files.ts";
import { containerSpec } from "./spec.ts";
import { resolveUser, type ResolvedUser } from "./users.ts";

/** The runtime specification of the last start, in the container's directory: what exec joins. */
export const SPEC_FILE = "config.json";
/** Parent cgroup of every container that names none. */
export const CGROUP_PARENT = "/lapstrake";
const MAX_USER_FILE_BYTES = 16 * 1024 * 1024;
/** Log rotation by default, unlike docker: a log never fills the disk. */
const LOG_MAX_BYTES = 20 * 1024 * 1024;
const LOG_MAX_FILES = 5;

/** Where a container's cgroups are, in every hierarchy. */
export function cgroupOf({ id, request }: Pick<ContainerRecord, "id" | "request">): string {
  const parent = request.cgroupParent ?? CGROUP_PARENT;
  return parent === "/" ? `/${id}` : `${parent}/${id}`;
}

/** How to start: who is attached and who cleans up. */
export interface StartOptions {
  /** Streams the caller wants from the first byte; none for a detached start. */
  readonly attach?: { readonly stdin: boolean; readonly stdout: boolean; readonly stderr: boolean };
  /** The caller waits for the end and cleans up itself while it lives. */
  readonly foreground?: boolean;
  /** The container is killed when the caller's connection is gone; with `foreground` only. */
  readonly leashed?: boolean;
  /** False keeps no log: the caller has the streams. */
  readonly log?: boolean;
  readonly ttySize?: { readonly rows: number; readonly cols: number };
}

export function logPath(dir: string): string {
  return join(dir, "log.json");
}

/** The bundle of a Linux container. */
export function linuxBundle(
  paths: StorePaths,
  record: ContainerRecord,
  askedMounts: readonly MountSpec[],
  network?: PreparedNetwork,
  extras: (spec: RuntimeSpec) => RuntimeSpec = (spec) => spec,
): Bundle {
  const prepared = prepareRootfs(paths, record);
  const user = withDirs(prepared.layers, (dirs) =>
    lookUpUser(record.process.user, record.request.groupAdd ?? [], new MergedView(dirs)),
  );
  const plain = containerSpec(record, {
    user,
    mounts: [...prepared.mounts, ...managedFileMounts(network?.filesDir ?? dirOf(paths, record))],
    askedMounts: askedMounts.map((mount) => mapOwner(mount, user.spec)),
    netnsPath: network?.netnsPath,
    cgroupParent: CGROUP_PARENT,
  });
  const spec = extras(plain);
  return { spec: isRootless() ? rootlessSpec(spec) : spec, rootfs: prepared.rootfs };
}

/** Ids of a user by the container's own files. Throws as {@link resolveUser}. */
export function lookUpUser(user: string, groupAdd: readonly string[], view: MergedView): ResolvedUser {
  return resolveUser(user, groupAdd, {
    passwd: view.readText("/etc/passwd", MAX_USER_FILE_BYTES),
    group: view.readText("/etc/group", MAX_USER_FILE_BYTES),
  });
}

/** The supervisor's orders. */
export function launchOptions(
  paths: StorePaths,
  record: ContainerRecord,
  start: StartOptions,
  reapArgv: readonly string[],
): LaunchOptions {
  const dir = dirOf(paths, record);
  return {
    containerDir: dir,
    id: record.id,
    stdio: record.process.tty ? "pty" : "pipes",
    openStdin: record.process.openStdin,
    stdinOnce: record.process.openStdin && start.attach?.stdin === true,
    log: start.log === false ? null : { path: logPath(dir), maxBytes: LOG_MAX_BYTES, maxFiles: LOG_MAX_FILES },
    reapArgv: [...reapArgv, record.id],
    foreground: start.foreground ?? false,
    ...(start.leashed === true ? { leashed: true } : {}),
    ...(hasRestartPolicy(record) ? { guarded: true } : {}),
    initialClient: start.attach !== undefined,
    ...(start.attach === undefined ? {} : { attach: start.attach }),
    ...(start.ttySize === undefined ? {} : { ttySize: start.ttySize }),
  };
}
