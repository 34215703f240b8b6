// Starting: record -> bundle -> plan -> launch. Each stage can be shown (`--debug`), none flows back up.
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  compile,
  formatPlan,
  hostFacts,
  launch,
  type Bundle,
  type LaunchExtras,
  type LaunchOptions,
  type Launched,
} from "@lapstrake/core";
import { LapError, isLapError, type MountSpec, type RuntimeSpec } from "@lapstrake/base";
import type { EngineContext } from "../context.ts";
import { asksLog, tellKeeper, wakeKeeper } from "../keeper/wake.ts";
import type { PreparedNetwork } from "../network/attach.ts";
import { emitPseudoNetwork } from "../network/pseudo-network.ts";
import { isOnUserNetwork, networkMode, ownsNetwork } from "../network/mode.ts";
import { wasmBundle } from "../sandbox/wasm-bundle.ts";
import { asksNetwork } from "../sandbox/wasm-network.ts";
import { payloadRequest } from "../sandbox/wasm-limits.ts";
import { attachedTo } from "../sandbox/wasm-signals.ts";
import { dirOf } from "../state/containers.ts";
import { emitContainer } from "../events/emit.ts";
import { forgetOom } from "../events/oom.ts";
import { emitMounts } from "../events/volume-events.ts";
import { isChecked, STARTING, writeHealth } from "../health/state.ts";
import { hasRestartPolicy, isWaiting, readRestart } from "../restart/state.ts";
import { readRecord, type ContainerRecord } from "../state/record.ts";
import { launchOptions, linuxBundle, logPath, type StartOptions } from "./bundle.ts";
import type { CreateRequest } from "./request.ts";
import { hasExtras } from "./has-extras.ts";
import { awaitLaunch } from "./launching.ts";
import { acquireLock } from "./lock.ts";
import { refuseRemoved } from "./removing.ts";
import { containerStatus } from "./status.ts";
import { REAPED_MARK, isReaped, reapContainer } from "./reap.ts";

/** The runtime specification of the last start: what exec joins. */
export const SPEC_FILE = "config.json";

/** Stages of a start that can be shown. */
export const DEBUG_STAGES = ["spec", "plan", "facts"] as const;
export type DebugStage = (typeof DEBUG_STAGES)[number];

/** Receives a stage's text. */
export interface DebugSink {
  readonly stages: ReadonlySet<DebugStage>;
  show(stage: DebugStage, text: string): void;
}

/** Starts a created or exited container; resolves when its program runs. Throws `ERR_LAP_ALREADY_RUNNING` and launch errors. */
export async function startContainer(
  context: EngineContext,
  known: ContainerRecord,
  options: StartOptions = {},
  debug?: DebugSink,
): Promise<Launched> {
  const dir = dirOf(context.paths, known);
  await settleLast(context, known);
  using lock = await acquireLock(dir);
  if (lock === undefined) throw new LapError("notFound", "ERR_LAP_NO_CONTAINER", `No such container: ${known.id}`);
  // A fork may have changed what it is made of, an update what it may use.
  const record = readRecord(dir) ?? known;
  await awaitLaunch(context, record);
  refuseRemoved(dir);
  const { state, error } = containerStatus(context.paths, record);
  if (state === "dead") throw isDead(record, error);
  if (state === "running" || state === "paused") {
    throw new LapError("conflict", "ERR_LAP_ALREADY_RUNNING", `container ${record.id} is already running`);
  }
  if (hasRestartPolicy(record)) (await import("../restart/changes.ts")).noteStart(dir, record);
  // Awaited here: the lock is held until the program runs.
  return await startLocked(context, record, options, debug);
}

function isDead({ id }: ContainerRecord, error: string): LapError {
  return new LapError("failedPrecondition", "ERR_LAP_CONTAINER_DEAD", `container ${id} is dead: ${error}`, {
    hint: "lap system check --repair mends it when it does not run; lap rm -f removes it",
  });
}

/** The start of a restart policy: only while the container still waits for `dueMs`. */
export async function startAgain(context: EngineContext, known: ContainerRecord, dueMs: number): Promise<void> {
  const dir = dirOf(context.paths, known);
  using lock = await acquireLock(dir);
  const record = lock === undefined ? undefined : readRecord(dir);
  if (record === undefined) return;
  await awaitLaunch(context, record);
  const { state, startedAt } = containerStatus(context.paths, record);
  const waits = readRestart(dir);
  if (waits.dueMs !== dueMs) return;
  if (state === "restarting") await startLocked(context, record, {}, undefined);
  // It runs because of the next start that was asked for: then that is to come yet.
  else if (isWaiting(waits, startedAt)) return;
  // Last: whoever is killed before leaves it waiting.
  (await import("../restart/changes.ts")).noteRestart(dir);
}

/** Who starts a container that has just ended may be quicker than who cleans up after it. */
async function settleLast(context: EngineContext, record: ContainerRecord): Promise<void> {
  const { state } = containerStatus(context.paths, record);
  if (state === "exited" && !isReaped(context, record)) await reapContainer(context, record);
}

async function startLocked(
  context: EngineContext,
  record: ContainerRecord,
  options: StartOptions,
  debug: DebugSink | undefined,
): Promise<Launched> {
  if (options.attach !== undefined) emitContainer(context, record, "attach");
  // Before: whoever sees it run sees that it is not healthy yet.
  if (record.health !== undefined && isChecked(record)) writeHealth(dirOf(context.paths, record), STARTING);
  const launched = await startAsCan(context, record, options, debug);
  emitPseudoNetwork(context, record, "connect");
  if (record.mounts !== undefined) emitMounts(context, record, "mount");
  emitContainer(context, record, "start");
  if ((record.health !== undefined && isChecked(record)) || asksLog(record)) await tellKeeper(context);
  return launched;
}

/** Where overlayfs turns out to be impossible, the container becomes a copy of its image. */
async function startAsCan(
  context: EngineContext,
  record: ContainerRecord,
  options: StartOptions,
  debug: DebugSink | undefined,
): Promise<Launched> {
  try {
    return await startKind(context, record, options, debug);
  } catch (error) {
    if (record.kind !== "linux" || !isLapError(error) || error.code !== "ERR_LAP_LAUNCH") throw error;
    const copied = (await import("../sandbox/vfs.ts")).fallBack(context, record, error);
    if (copied === undefined) throw error;
    return await startKind(context, copied, options, debug);
  }
}

async function startKind(
  context: EngineContext,
  record: ContainerRecord,
  options: StartOptions,
  debug: DebugSink | undefined,
): Promise<Launched> {
  const mounts = await askedMounts(context, record);
  if (record.kind === "wasm") return startWasm(context, record, mounts, options, debug);
  const extras = await specExtras(context, record);
  const bundleOn: BundleOn = (network) => linuxBundle(context.paths, record, mounts, network, extras);
  if (joinsNetwork(record)) return startOnNetwork(context, record, bundleOn, options, debug);
  return launchBundle(context, record, bundleOn(undefined), options, debug);
}

/** The bundle on a network that was prepared, or on none. */
type BundleOn = (network: PreparedNetwork | undefined) => Bundle;

function joinsNetwork(record: ContainerRecord): boolean {
  return ownsNetwork(record) || isOnUserNetwork(record) || networkMode(record.request.network).kind === "container";
}

type SpecChange = ((spec: RuntimeSpec) => RuntimeSpec) | undefined;

/** Limits, devices and sharing beyond the plain ones, and the init; only those that have some need the code. */
async function specExtras(context: EngineContext, record: ContainerRecord): Promise<SpecChange> {
  const { request } = record;
  const init = request.init === true ? (await import("./init.ts")).withInit : undefined;
  if (!hasExtras(request)) return init;
  const { withExtras } = await import("./extras.ts");
  return (spec) => withExtras(context, record, init === undefined ? spec : init(spec));
}

/** Volumes, folders of the machine and tmpfs; only those that have some need the code. */
async function askedMounts(context: EngineContext, { mounts }: ContainerRecord): Promise<readonly MountSpec[]> {
  return mounts === undefined ? [] : (await import("../volumes/mount-specs.ts")).mountSpecs(context.paths, mounts);
}

async function startWasm(
  context: EngineContext,
  record: ContainerRecord,
  mounts: readonly MountSpec[],
  options: StartOptions,
  debug: DebugSink | undefined,
): Promise<Launched> {
  await (await import("../sandbox/wasm-ahead.ts")).prepareProgram(context, record);
  const alone = options.foreground === true && record.autoRemove && !isWatched(record.request);
  const change = await specExtras(context, { ...record, request: payloadRequest(record.request) });
  const bundleOn: BundleOn = (network) => {
    const bundle = wasmBundle(context, record, mounts, alone, network);
    return change === undefined ? bundle : { ...bundle, spec: change(bundle.spec) };
  };
  const launched = await (joinsNetwork(record)
    ? startOnNetwork(context, record, bundleOn, options, debug)
    : launchBundle(context, record, bundleOn(undefined), options, debug));
  if (launched.attachment !== undefined) attachedTo(record, launched.attachment);
  context.wasmStarted?.();
  return launched;
}

/** A second thread watches over guests that answer requests, and over their processor time. */
function isWatched(request: CreateRequest): boolean {
  return asksNetwork(request) || request.guestLimits?.cpuMs !== undefined;
}

async function startOnNetwork(
  context: EngineContext,
  record: ContainerRecord,
  bundleOn: BundleOn,
  options: StartOptions,
  debug: DebugSink | undefined,
): Promise<Launched> {
  // Loaded here: a start without a network needs none of it.
  const { dropNetwork, prepareNetwork, publishes } = await import("../network/attach.ts");
  const { hasResolver } = await import("../network/network-files.ts");
  const network = isOnUserNetwork(record)
    ? (await import("../network/user-network.ts")).prepareUserNetwork(context, record)
    : prepareNetwork(context, record);
  // The helper mounts meanwhile.
  const connect = async (): Promise<void> => {
    network.connect?.();
    if (hasResolver(record)) await (await import("../keeper/client.ts")).serveContainer(context, record.id);
  };
  try {
    const beside = { meanwhile: connect, ...onCreated(network) };
    const launched = await launchBundle(context, record, bundleOn(network), options, debug, beside);
    if (publishes(record)) wakeKeeper(context);
    return launched;
  } catch (error) {
    if (ownsNetwork(record)) dropNetwork(context, record);
    throw error;
  }
}

/** A network that needs the first process has it before its program runs. */
function onCreated({ connectProcess }: PreparedNetwork): Pick<LaunchExtras, "onCreated"> {
  if (connectProcess === undefined) return {};
  return { onCreated: (pid) => connectProcess(pid).then(() => "{}") };
}

/** Only who chooses a log needs to know which there are. */
async function chosenLog(
  { paths }: EngineContext,
  record: ContainerRecord,
  options: StartOptions,
): Promise<Pick<LaunchOptions, "log"> | undefined> {
  const { log } = record.request;
  if (log === undefined || options.log === false) return undefined;
  const dir = dirOf(paths, record);
  const orders = (await import("./log-config.ts")).logOrders(record, log, logPath(dir));
  (await import("../logs/duty-file.ts")).writeLogDuty(dir, log);
  return { log: orders };
}

async function launchBundle(
  context: EngineContext,
  record: ContainerRecord,
  unconfined: Bundle,
  options: StartOptions,
  debug: DebugSink | undefined,
  beside?: LaunchExtras,
): Promise<Launched> {
  const facts = hostFacts();
  const isConfined = facts.apparmor && record.kind !== "wasm";
  const others = record.runtime === undefined ? undefined : await import("../sandbox/other-runtime-start.ts");
  const confined = isConfined ? (await import("../sandbox/apparmor.ts")).confined(unconfined, record) : unconfined;
  const bundle = others?.otherBundle(confined, context.logger) ?? confined;
  const orders = {
    ...launchOptions(context.paths, record, options, context.reapArgv),
    ...(await chosenLog(context, record, options)),
  };
  const supervision = beside === undefined ? orders : { ...orders, awaitCaller: true };
  const plan = others?.planOther(record, bundle, facts, supervision) ?? compile(bundle, facts, supervision);
  if (debug?.stages.has("facts") === true) debug.show("facts", JSON.stringify(facts, undefined, 2));
  if (debug?.stages.has("spec") === true) debug.show("spec", JSON.stringify(bundle.spec, undefined, 2));
  if (debug?.stages.has("plan") === true) debug.show("plan", formatPlan(plan));
  for (const warning of plan.warnings) context.logger.warn(warning);
  const dir = dirOf(context.paths, record);
  rmSync(join(dir, REAPED_MARK), { force: true });
  forgetOom(dir);
  writeFileSync(join(dir, SPEC_FILE), JSON.stringify(bundle.spec));
  return others === undefined ? launch(plan, beside ?? {}) : others.launchOther(record, dir, plan, beside ?? {});
}
