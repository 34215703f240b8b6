// What containers leave on the machine itself: cgroups without processes, and network state of containers that do not run.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { errorCode } from "@lapstrake/base";
import { cleanup, hostFacts } from "@lapstrake/core";
import { CGROUP_PARENT } from "../containers/bundle.ts";
import { containerStatus } from "../containers/status.ts";
import type { EngineContext } from "../context.ts";
import { containerIds } from "../state/containers.ts";
import { networksOf } from "../network/attach.ts";
import { isContainerId } from "../state/ids.ts";
import { containerDir, readRecord } from "../state/record.ts";
import { readOr } from "./damaged.ts";
import { MIN_AGE_MS, isSettled, type Problem } from "./problem.ts";

/** Cgroups of containers of this store that do not run, and old ones without processes of containers that this store does not know. */
export function cgroupProblems(context: EngineContext, minAgeMs: number): Problem[] {
  const known = new Set(containerIds(context.paths));
  // Another store's container may be about to start in a cgroup that we know nothing of.
  const age = (id: string): number => (known.has(id) ? minAgeMs : Math.max(minAgeMs, MIN_AGE_MS));
  const ids = new Set(
    hostFacts().cgroups.flatMap(({ mountPoint }) => {
      const parent = join(mountPoint, CGROUP_PARENT);
      return subdirectories(parent).filter((id) => isContainerId(id) && isSettled(join(parent, id), age(id)));
    }),
  );
  const idle = [...ids].filter((id) => hasNoProcess(id) && !(known.has(id) && isRunning(context, id)));
  return idle.map((id) => ({
    kind: "waste",
    subject: `${CGROUP_PARENT}/${id}`,
    text: "a cgroup without processes, of a container that does not run",
    repair: () => cleanup(`${CGROUP_PARENT}/${id}`, id),
  }));
}

function isRunning(context: EngineContext, id: string): boolean {
  const read = readOr(() => readRecord(containerDir(context.paths.containers, id)));
  if ("error" in read) return !hasNoProcess(id);
  const record = read.value;
  return record !== undefined && ["running", "paused"].includes(containerStatus(context.paths, record).state);
}

function subdirectories(dir: string): string[] {
  try {
    return readdirSync(dir, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []));
  } catch (error) {
    if (errorCode(error) === "ENOENT") return [];
    throw error;
  }
}

/** True when no process is in its cgroups. */
export function hasNoProcess(id: string): boolean {
  return hostFacts().cgroups.every(
    ({ mountPoint }) => textOf(join(mountPoint, CGROUP_PARENT, id, "cgroup.procs")) === "",
  );
}

/** Empty for a file that is gone. */
function textOf(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch (error) {
    if (errorCode(error) === "ENOENT") return "";
    throw error;
  }
}

/** Addresses, devices and ports that networks hold for containers that do not run. */
export function networkProblems(context: EngineContext, minAgeMs: number): Problem[] {
  const networks = networksOf(context);
  const members = new Set(networks.list().flatMap(({ endpoints }) => Object.keys(endpoints)));
  const gone = [...members].filter((id) => {
    const dir = containerDir(context.paths.containers, id);
    return !isRunning(context, id) && (!existsSync(dir) || isSettled(dir, minAgeMs));
  });
  return gone.map((id) => ({
    kind: "unsettled",
    subject: id,
    text: "networks hold an address for it, and it does not run",
    repair: () => networks.disconnectAll(id),
  }));
}
