// From a plan to a running container: cgroups, the plan in a memfd, posix_spawn of the helper, its answer on a socket.
import { closeSync } from "node:fs";
import { Socket } from "node:net";
import { LapError } from "@lapstrake/base";
import { makeCgroups } from "../cgroup/make.ts";
import { removeCgroupDirs } from "../cgroup/cleanup.ts";
import { encodePlan } from "../plan/encode.ts";
import type { LaunchPlan } from "../plan/types.ts";
import { SocketAttachment } from "../supervisor/attachment.ts";
import { reapEventually, reapNow, spawn, type ChildDescriptor } from "../sys/spawn.ts";
import { decodeFailure, launchError } from "./failure.ts";
import { memfdOf, sealedProgram, socketPair } from "./memfd.ts";
import type { MovedDevices } from "./net-devices.ts";
import type { Launched } from "./types.ts";

function environment(): string[] {
  return Object.entries(process.env).map(([name, value]) => `${name}=${value ?? ""}`);
}

// LAP_DEBUG_SHIM keeps the helper's stderr: for its sanitizer build.
function streams(plan: LaunchPlan): ChildDescriptor[] {
  if (plan.options.oci?.inheritStdio === true) return [0, 1, 2];
  return ["/dev/null", "/dev/null", process.env["LAP_DEBUG_SHIM"] === undefined ? "/dev/null" : 2];
}

function preserved(plan: LaunchPlan): number[] {
  return Array.from({ length: plan.options.oci?.preserveFds ?? 0 }, (_, index) => 3 + index);
}

const programs = new Map<string, number>();

// CVE-2019-5736: an image whose program is /proc/self/exe runs the helper itself, and could then write to its file. What it
// finds is a sealed copy in memory.
function helperProgram(shim: string, descriptors: number): string {
  const held = programs.get(shim);
  const fd = held !== undefined && held >= descriptors ? held : sealedProgram(shim, descriptors);
  programs.set(shim, fd);
  return `/proc/self/fd/${fd}`;
}

function startHelper(plan: LaunchPlan): { pid: number; fd: number } {
  const memfd = memfdOf("lap-plan", encodePlan(plan));
  const [ours, theirs] = socketPair();
  try {
    const descriptors = [...streams(plan), memfd, theirs, ...preserved(plan)];
    const program = helperProgram(plan.shim, descriptors.length);
    const pid = spawn(program, ["lap-shim", plan.options.id], environment(), descriptors);
    return { pid, fd: ours };
  } catch (error) {
    closeSync(ours);
    throw error;
  } finally {
    closeSync(memfd);
    closeSync(theirs);
  }
}

/** What a launch may be given beside its plan. */
export interface LaunchExtras {
  readonly signal?: AbortSignal;
  /** Runs the hooks of the caller's namespaces once the container stands; the state JSON it returns goes to the container's own hooks. */
  readonly onCreated?: (pid: number) => Promise<string>;
  /** Done while the helper makes the container, which waits for it before its program runs; the plan is one of `awaitCaller`. */
  readonly meanwhile?: () => void | Promise<void>;
}

/** What the caller does while the helper waits for it. */
interface Duties {
  readonly extras: LaunchExtras | undefined;
  readonly meanwhile: Promise<void>;
  /** Devices that the container got, to be given back if it never runs. */
  moved?: MovedDevices;
}

async function answerSync(
  plan: LaunchPlan,
  pid: number,
  go: (state: Uint8Array) => void,
  duties: Duties,
): Promise<void> {
  await duties.meanwhile;
  if (plan.netDevices.length > 0) {
    const { moveNetDevices } = await import("./net-devices.ts");
    duties.moved = moveNetDevices(pid, plan.netDevices);
  }
  const { onCreated } = duties.extras ?? {};
  go(Buffer.from(onCreated === undefined ? "{}" : await onCreated(pid)));
}

function dutiesOf(extras: LaunchExtras | undefined): Duties {
  const meanwhile = Promise.resolve().then(() => extras?.meanwhile?.());
  // Whoever waits for it is told; a helper that fails first never asks.
  meanwhile.catch(() => undefined);
  return { extras, meanwhile };
}

function awaitAnswer(plan: LaunchPlan, helper: { pid: number; fd: number }, duties: Duties): Promise<Launched> {
  return new Promise((resolve, reject) => {
    const socket = new Socket({ fd: helper.fd, readable: true, writable: true });
    const isOwner = plan.options.foreground && plan.options.initialClient;
    let refusal: unknown;
    const attachment: SocketAttachment = new SocketAttachment(socket, isOwner, {
      started(pid) {
        const stays = plan.options.initialClient;
        if (!stays) socket.destroy();
        resolve({ supervisorPid: helper.pid, pid, attachment: stays ? attachment : undefined });
      },
      failed(payload) {
        socket.destroy();
        reject((refusal as Error | undefined) ?? launchError(decodeFailure(payload, plan)));
      },
      sync(pid, go) {
        answerSync(plan, pid, go, duties).catch((error: unknown) => {
          refusal = error;
          // No answer: the helper gives up, and says so when the container is gone.
          socket.end();
        });
      },
    });
    // No answer at all: the helper died. Settling twice has no effect.
    socket.on("close", () =>
      reject(
        (refusal as Error | undefined) ??
          new LapError("internal", "ERR_LAP_LAUNCH", "the native helper ended without an answer"),
      ),
    );
  });
}

function onAbort(signal: AbortSignal | undefined, pid: number): Disposable {
  const kill = (): void => void process.kill(pid, "SIGKILL");
  signal?.addEventListener("abort", kill, { once: true });
  return { [Symbol.dispose]: () => signal?.removeEventListener("abort", kill) };
}

/**
 * Starts the container of `plan` and resolves when its program runs. Rejects with `ERR_LAP_EXEC_NOT_FOUND`,
 * `ERR_LAP_EXEC_PERMISSION`, `ERR_LAP_LAUNCH`, or the error of a cgroup limit; nothing is left behind then.
 */
export async function launch(plan: LaunchPlan, options?: LaunchExtras): Promise<Launched> {
  options?.signal?.throwIfAborted();
  makeCgroups(plan.cgroups);
  let duties: Duties | undefined;
  try {
    const helper = startHelper(plan);
    reapEventually(helper.pid);
    using _ = onAbort(options?.signal, helper.pid);
    duties = dutiesOf(options);
    const launched = await awaitAnswer(plan, helper, duties);
    // Whoever is the subreaper waits for the process at once, as buildah does: it has to be its child by then.
    if (plan.options.oci?.supervised === false) reapNow(helper.pid);
    return launched;
  } catch (error) {
    removeCgroupDirs(plan.cgroups);
    duties?.moved?.giveBack();
    options?.signal?.throwIfAborted();
    throw error;
  } finally {
    duties?.moved?.[Symbol.dispose]();
  }
}
