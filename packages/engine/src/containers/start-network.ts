// A start on the network that its container asks for: prepared before the launch, connected while the helper mounts.
import type { Bundle, LaunchExtras, Launched } from "@lapstrake/core";
import type { EngineContext } from "../context.ts";
import { hasResolver, wakeKeeper } from "../keeper/wake.ts";
import type { PreparedNetwork } from "../network/attach.ts";
import { isOnUserNetwork, networkMode, ownsNetwork } from "../network/mode.ts";
import type { ContainerRecord } from "../state/record.ts";
import type { StartOptions } from "./bundle.ts";
import { launchBundle, type DebugSink } from "./launch-bundle.ts";

/** The bundle on a network that was prepared, or on none. */
export type BundleOn = (network: PreparedNetwork | undefined) => Bundle;

/** Launches the bundle on its network, if it has one; what was prepared goes again when the launch fails. */
export async function launchOnNetwork(
  context: EngineContext,
  record: ContainerRecord,
  bundleOn: BundleOn,
  options: StartOptions,
  debug: DebugSink | undefined,
): Promise<Launched> {
  if (!joinsNetwork(record)) return launchBundle(context, record, bundleOn(undefined), options, debug);
  // Loaded here: a start without a network needs none of it.
  const { dropNetwork, prepareNetwork, publishes } = await import("../network/attach.ts");
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

function joinsNetwork(record: ContainerRecord): boolean {
  return ownsNetwork(record) || isOnUserNetwork(record) || networkMode(record.request.network).kind === "container";
}

/** A network that needs the first process has it before its program runs. */
function onCreated({ connectProcess }: PreparedNetwork): Pick<LaunchExtras, "onCreated"> {
  if (connectProcess === undefined) return {};
  return { onCreated: (pid) => connectProcess(pid).then(() => "{}") };
}
