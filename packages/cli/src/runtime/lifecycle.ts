// Starting, killing and deleting: what several commands do to a kept container.
import { resolve } from "node:path";
import { LapError, type RuntimeSpec } from "@lapstrake/base";
import { cleanup, gateFailure, killIfSame, releaseGate, setFreezer, startTime, unmountBeneath } from "@lapstrake/core";
import { tellWarning, type RuntimeContext } from "./context.ts";
import { runHooks } from "./hooks.ts";
import { directoryOf, forget, loadSpec, requireStatus, stateOf, statusOf, type Kept } from "./state.ts";

const DEATH_TRIES = 1000;
const STEP_MS = 5;

/** Opens the gate and runs poststart hooks; the failure of one stops the container (runtime.md "Lifecycle" step 9). */
export async function startContainer(context: RuntimeContext, kept: Kept): Promise<void> {
  const spec = loadSpec(context.root, kept.id);
  // The launcher may have opened the gate already, and left the telling to us.
  const failure = gateFailure(directoryOf(context.root, kept.id));
  if (failure !== undefined) throw failure;
  requireStatus(context.root, kept, ["created"], "start");
  if (spec.process === undefined) {
    // The specification wants an error here; crun and the conformance suite want a container that ends. We follow those.
    tellWarning(context, "the container has no process to start");
    await killAndWait(kept);
    return;
  }
  releaseGate(directoryOf(context.root, kept.id));
  await poststart(spec, kept);
}

/** Runs the poststart hooks; throws `ERR_LAP_HOOK` with the container stopped. */
export async function poststart(spec: RuntimeSpec, kept: Kept): Promise<void> {
  try {
    await runHooks("poststart", spec.hooks?.poststart, stateOf(kept, "running"));
  } catch (error) {
    await killAndWait(kept);
    throw error;
  }
}

/** Kills the first process and waits until it is gone. */
export async function killAndWait(kept: Kept): Promise<void> {
  killIfSame(kept.pid, kept.pidStartTime);
  for (let i = 0; i < DEATH_TRIES && startTime(kept.pid) === kept.pidStartTime; i++) {
    await new Promise((resolve) => setTimeout(resolve, STEP_MS));
  }
}

async function poststop(context: RuntimeContext, spec: RuntimeSpec, kept: Kept): Promise<void> {
  for (const hook of spec.hooks?.poststop ?? []) {
    try {
      await runHooks("poststop", [hook], stateOf(kept, "stopped"));
    } catch (error) {
      // The others still run: runtime.md "Lifecycle" step 13.
      tellWarning(context, error instanceof Error ? error.message : String(error));
    }
  }
}

/** Without a mount namespace of its own a container's mounts stay in ours: they go when it goes, or when it never came. */
export function unmountShared(spec: RuntimeSpec, bundle: string): void {
  const hasOwn = (spec.linux?.namespaces ?? []).some(({ type }) => type === "mount");
  if (!hasOwn && spec.root !== undefined) unmountBeneath(resolve(bundle, spec.root.path));
}

/** Removes everything of a dead container. */
export async function removeContainer(context: RuntimeContext, kept: Kept): Promise<void> {
  const spec = loadSpec(context.root, kept.id);
  cleanup(spec.linux?.cgroupsPath, kept.id);
  unmountShared(spec, kept.bundle);
  await poststop(context, spec, kept);
  forget(context.root, kept.id);
}

/** `delete`: created containers are killed, as runc and crun do; running ones only by force. */
export async function deleteContainer(context: RuntimeContext, kept: Kept, isForced: boolean): Promise<void> {
  const status = statusOf(context.root, kept);
  if (!isForced && status !== "stopped" && status !== "created") {
    throw new LapError(
      "failedPrecondition",
      "ERR_LAP_STATE",
      `cannot delete container ${kept.id} that is not stopped: ${status}`,
    );
  }
  if (status !== "stopped") {
    thawIfPaused(kept, status);
    await killAndWait(kept);
  }
  await removeContainer(context, kept);
}

function thawIfPaused(kept: Kept, status: string): void {
  if (status === "paused") setFrozen(kept, false);
}

/** Freezes or thaws the container's cgroup; throws `ERR_LAP_NO_FREEZER`. */
export function setFrozen(kept: Kept, isFrozen: boolean): void {
  if (kept.freezerFile === "") {
    throw new LapError("unimplemented", "ERR_LAP_NO_FREEZER", "this host has no cgroup freezer", {
      hint: "mount a cgroup2 hierarchy or the v1 freezer",
    });
  }
  setFreezer(kept.freezerFile, isFrozen);
}
