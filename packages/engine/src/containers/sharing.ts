// Namespaces that a container shares with the machine or with another container: --ipc, --pid, --uts, --cgroupns.
// The values are docker's; what must not be combined is refused in its words.
import { LapError, type MountSpec, type NamespaceSpec } from "@lapstrake/base";
import type { EngineContext } from "../context.ts";
import { findContainer } from "../state/containers.ts";
import type { CreateRequest } from "./request.ts";
import { containerStatus } from "./status.ts";

const CONTAINER = "container:";

/** Throws for a mode that does not exist. */
export function checkSharing(request: CreateRequest): void {
  const { ipc, pid, uts, cgroupns, network } = request;
  if (ipc !== undefined && !isMode(ipc, ["none", "private", "shareable", "host"]))
    throw invalid(`invalid IPC mode: ${ipc}`);
  if (pid !== undefined && !isMode(pid, ["host"])) throw invalid(`invalid PID mode: ${pid}`);
  if (uts !== undefined && uts !== "host") throw invalid(`invalid UTS mode: ${uts}`);
  if (cgroupns !== undefined && cgroupns !== "host" && cgroupns !== "private")
    throw invalid(`invalid cgroup namespace mode: ${cgroupns}`);
  if (uts === "host" && request.hostname !== undefined) throw invalid("conflicting options: hostname and the UTS mode");
  if (uts === "host" && network === "host" && request.domainname !== undefined)
    throw invalid("conflicting options: domainname and the UTS mode");
}

function isMode(mode: string, words: readonly string[]): boolean {
  return words.includes(mode) || (mode.startsWith(CONTAINER) && mode.length > CONTAINER.length);
}

/** The namespaces of a container that shares some, from those it would have alone. */
export function sharedNamespaces(
  context: EngineContext,
  request: CreateRequest,
  alone: readonly NamespaceSpec[],
): NamespaceSpec[] {
  const modes: Partial<Record<NamespaceSpec["type"], string | undefined>> = {
    ipc: request.ipc,
    pid: request.pid,
    uts: request.uts,
    cgroup: request.cgroupns,
  };
  return alone.flatMap((namespace) => {
    const mode = modes[namespace.type];
    if (mode === "host") return [];
    if (mode?.startsWith(CONTAINER) !== true) return [namespace];
    const pid = livePid(context, mode.slice(CONTAINER.length), namespace.type);
    return [{ ...namespace, path: `/proc/${pid}/ns/${namespace.type}` }];
  });
}

/** The default mounts that belong to the ipc namespace, as its mode wants them. */
export function sharedMounts(
  context: EngineContext,
  { ipc }: CreateRequest,
  mounts: readonly MountSpec[],
): readonly MountSpec[] {
  if (ipc === undefined || ipc === "private" || ipc === "shareable") return mounts;
  if (ipc === "none") return mounts.filter(({ destination }) => destination !== "/dev/shm");
  if (ipc !== "host") {
    // The other container's tmpfs is in its own mount namespace, from where nothing can be bound (open_tree(2)).
    context.logger.warn("System V IPC and message queues are shared with the other container, /dev/shm is not");
    return mounts;
  }
  // A fresh mqueue mount shows the queues of the namespace that was joined: only /dev/shm is a folder.
  return mounts.map((mount) => {
    if (mount.destination !== "/dev/shm" || mount.type === "bind") return mount;
    return { ...mount, type: "bind", source: "/dev/shm", options: ["rbind", "nosuid", "noexec", "nodev"] };
  });
}

/** First process of a running container that may be joined. Throws `ERR_LAP_NOT_RUNNING`, `ERR_LAP_SHARING`. */
function livePid(context: EngineContext, name: string, type: NamespaceSpec["type"]): number {
  const record = findContainer(context.paths, name);
  const mode = record.request.ipc ?? "private";
  if (type === "ipc" && (mode === "private" || mode === "none")) {
    const hint = `(hint: use IpcMode:shareable for the donor container)`;
    throw invalid(`container ${record.id}: non-shareable IPC ${hint}`);
  }
  const { state, pid } = containerStatus(context.paths, record);
  if (state === "running" || state === "paused") return pid;
  const text = `cannot join ${type.toUpperCase()} of a non running container: ${record.id}`;
  throw new LapError("conflict", "ERR_LAP_NOT_RUNNING", text);
}

function invalid(message: string): LapError {
  return new LapError("invalidArgument", "ERR_LAP_SHARING", message);
}
