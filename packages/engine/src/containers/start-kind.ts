// Record -> bundle: by the kind of the container, and by what the machine can do.
import type { Launched } from "@lapstrake/core";
import { isLapError, type MountSpec } from "@lapstrake/base";
import type { EngineContext } from "../context.ts";
import { wasmBundle } from "../sandbox/wasm-bundle.ts";
import { payloadRequest } from "../sandbox/wasm-limits.ts";
import { asksNetwork } from "../sandbox/wasm-network.ts";
import { attachedTo } from "../sandbox/wasm-signals.ts";
import type { ContainerRecord } from "../state/record.ts";
import { linuxBundle, type StartOptions } from "./bundle.ts";
import type { DebugSink } from "./launch-bundle.ts";
import type { CreateRequest } from "./request.ts";
import { launchOnNetwork, type BundleOn } from "./start-network.ts";
import { askedMounts, specExtras } from "./start-parts.ts";

/** Starts it; where overlayfs turns out to be impossible, the container becomes a copy of its image. The container's lock is held. */
export async function startAsCan(
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
  return launchOnNetwork(context, record, bundleOn, options, debug);
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
  const launched = await launchOnNetwork(context, record, bundleOn, options, debug);
  if (launched.attachment !== undefined) attachedTo(record, launched.attachment);
  context.wasmStarted?.();
  return launched;
}

/** A second thread watches over guests that answer requests, and over their processor time. */
function isWatched(request: CreateRequest): boolean {
  return asksNetwork(request) || request.guestLimits?.cpuMs !== undefined;
}
