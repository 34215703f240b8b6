// Making a container: claim the id, compile, launch to the gate, keep the state. `create` and `run` share it.
import { fstatSync, realpathSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { LapError, type HooksSpec, type RuntimeSpec, type RuntimeState } from "@lapstrake/base";
import {
  compile,
  hostFacts,
  launch,
  removeCgroupDirs,
  signalProcess,
  startTime,
  useFilterShelf,
  type Launched,
  type LaunchOptions,
  type LaunchPlan,
} from "@lapstrake/core";
import { loadConfig, rootfsOf } from "./bundle.ts";
import { tellDebug, tellWarning, type RuntimeContext } from "./context.ts";
import { filtersOf } from "./filters.ts";
import { isOn, numberOf, value, type Parsed } from "./flags.ts";
import { runHooks } from "./hooks.ts";
import { unmountShared } from "./lifecycle.ts";
import { writeRecord } from "./record.ts";
import { claim, forget, keep, stateOf, type Kept } from "./state.ts";

const SIGKILL = 9;

/** How a container is made: with a gate and left alone, or supervised by this command until it ends. */
export interface CreateMode {
  readonly gate: boolean;
  readonly supervised: boolean;
  /** Relay a pty through this command instead of a console socket. */
  readonly relayPty: boolean;
}

/** A made container. */
export interface Made {
  readonly kept: Kept;
  readonly spec: RuntimeSpec;
  readonly launched: Launched;
}

function consoleSocket(flags: Parsed, spec: RuntimeSpec, mode: CreateMode): string | undefined {
  const path = value(flags, "console-socket");
  const wants = spec.process?.terminal === true;
  if (wants && path === undefined && !mode.relayPty) {
    throw new LapError(
      "invalidArgument",
      "ERR_LAP_USAGE",
      "cannot allocate tty if runc will detach without setting console socket",
    );
  }
  if (!wants && path !== undefined) {
    throw new LapError(
      "invalidArgument",
      "ERR_LAP_USAGE",
      "cannot use console socket if runc will not detach or allocate tty",
    );
  }
  return path === undefined ? undefined : resolve(path);
}

// systemd's socket activation (sd_listen_fds(3)): its descriptors go on to the container's first process.
function listenFds(): number {
  const count = Number(process.env["LISTEN_FDS"] ?? "0");
  return Number.isSafeInteger(count) && count > 0 ? count : 0;
}

/** The spec with the variables of socket activation, when this command was started so. */
function withListenFds(spec: RuntimeSpec): RuntimeSpec {
  if (listenFds() === 0 || spec.process === undefined) return spec;
  const names = process.env["LISTEN_FDNAMES"];
  const env = [
    `LISTEN_FDS=${listenFds()}`,
    "LISTEN_PID=1",
    ...(names === undefined ? [] : [`LISTEN_FDNAMES=${names}`]),
  ];
  return { ...spec, process: { ...spec.process, env: [...(spec.process.env ?? []), ...env] } };
}

function checkPreserved(count: number): number {
  for (let fd = 3; fd < 3 + count; fd++) {
    try {
      fstatSync(fd);
    } catch (cause) {
      throw new LapError("invalidArgument", "ERR_LAP_USAGE", `--preserve-fds ${count}: descriptor ${fd} is not open`, {
        cause,
      });
    }
  }
  return count;
}

function optionsFor(
  dir: string,
  id: string,
  bundle: string,
  spec: RuntimeSpec,
  flags: Parsed,
  mode: CreateMode,
): LaunchOptions {
  const socket = consoleSocket(flags, spec, mode);
  const pidfdSocket = value(flags, "pidfd-socket");
  const isPty = spec.process?.terminal === true;
  const size = spec.process?.consoleSize;
  return {
    containerDir: dir,
    id,
    stdio: isPty ? "pty" : "pipes",
    openStdin: true,
    stdinOnce: true,
    log: null,
    reapArgv: [],
    foreground: mode.supervised,
    // Whoever kills this command, as a scheduler does with what it started, means the container.
    leashed: mode.supervised,
    initialClient: mode.supervised,
    ...(size === undefined ? {} : { ttySize: { rows: size.height, cols: size.width } }),
    oci: {
      supervised: mode.supervised,
      gate: mode.gate,
      inheritStdio: !isPty,
      bundle,
      preserveFds: checkPreserved((numberOf(flags, "preserve-fds") ?? 0) + listenFds()),
      ...(socket === undefined ? {} : { consoleSocket: socket }),
      ...(pidfdSocket === undefined ? {} : { pidfdSocket: resolve(pidfdSocket) }),
    },
  };
}

function keptOf(id: string, bundle: string, spec: RuntimeSpec, plan: LaunchPlan, pid: number): Kept {
  return {
    ociVersion: spec.ociVersion,
    id,
    bundle,
    annotations: spec.annotations ?? {},
    created: new Date().toISOString(),
    pid,
    pidStartTime: startTime(pid) ?? 0,
    owner: process.geteuid?.() ?? 0,
    freezerFile: plan.cgroups.freezerFile ?? "",
  };
}

// The state for the container's own hooks carries a mark where the helper puts the status of the moment.
async function callersHooks(hooks: HooksSpec, state: RuntimeState): Promise<string> {
  // prestart is older than the status "creating": its hooks expect a container that stands.
  await runHooks("prestart", hooks.prestart, { ...state, status: "created" });
  await runHooks("createRuntime", hooks.createRuntime, state);
  return JSON.stringify({ ...state, status: "%STATUS%" });
}

function writePidFile(flags: Parsed, pid: number): void {
  const path = value(flags, "pid-file");
  if (path !== undefined) writeFileSync(path, String(pid));
}

// A launch that failed cleaned up behind itself; one that succeeded is ended here.
function undo(launched: Launched | undefined, plan: LaunchPlan | undefined): void {
  if (launched === undefined || plan === undefined) return;
  signalProcess(launched.pid, undefined, SIGKILL);
  // An open connection would keep this command from ending.
  launched.attachment?.detach();
  removeCgroupDirs(plan.cgroups);
}

function tellPlan(context: RuntimeContext, plan: LaunchPlan): void {
  for (const warning of plan.warnings) tellWarning(context, warning);
  for (const { op, flags } of plan.ops) {
    if (op.startsWith("seccomp")) tellDebug(context, `seccomp filter flags: ${String(flags)}`);
  }
}

/** Makes container `id` from the bundle the flags name. Throws; nothing is left behind then. */
export async function createContainer(
  context: RuntimeContext,
  id: string,
  flags: Parsed,
  mode: CreateMode,
): Promise<Made> {
  const bundle = realpathSync(value(flags, "bundle") ?? process.cwd());
  const spec = withListenFds(loadConfig(bundle, value(flags, "config")));
  const rootfs = rootfsOf(bundle, spec);
  const dir = claim(context.root, id);
  let plan: LaunchPlan | undefined;
  let launched: Launched | undefined;
  try {
    useFilterShelf(filtersOf(context.root));
    plan = compile({ spec, rootfs }, hostFacts(), optionsFor(dir, id, bundle, spec, flags, mode));
    if (isOn(flags, "no-new-keyring")) plan = { ...plan, ops: plan.ops.filter((op) => op.op !== "keyring") };
    tellPlan(context, plan);
    writeFileSync(join(dir, "config.json"), JSON.stringify(spec));
    const compiled = plan;
    launched = await launch(compiled, {
      onCreated: (pid) => callersHooks(spec.hooks ?? {}, stateOf(keptOf(id, bundle, spec, compiled, pid), "creating")),
    });
    const kept = keptOf(id, bundle, spec, compiled, launched.pid);
    keep(context.root, kept);
    writeRecord(dir, kept, spec, compiled);
    writePidFile(flags, launched.pid);
    return { kept, spec, launched };
  } catch (error) {
    undo(launched, plan);
    unmountShared(spec, bundle);
    forget(context.root, id);
    throw error;
  }
}
