// Networks of a container that runs: connected and disconnected at once, with its files and its published ports.
import type { EngineContext } from "../context.ts";
import type { ContainerRecord, NetworkAttachment } from "../state/record.ts";
import { bindingsOf, connection, findOut, isOut, netnsPathOf, networksOf } from "./attach.ts";
import { emitNetwork } from "./network-events.ts";
import { writeFiles } from "./network-files.ts";

/** Connects a container that runs; its files follow. The lock of the container is held. */
export function connectLive(
  context: EngineContext,
  record: ContainerRecord,
  name: string,
  attachment: NetworkAttachment,
): void {
  const networks = networksOf(context);
  // Ports wait for a network with a way out. It may be this one already: connected by whoever was killed before the ports.
  const out = findOut(networks, record)?.network.name ?? name;
  const ports = out === name && isOut(networks, name) ? bindingsOf(record) : [];
  networks.connect(name, { ...connection(record, attachment), netns: { path: netnsPathOf(context, record) }, ports });
  emitNetwork(context, networks.find(name), "connect", record.id);
  writeFiles(context, record, networks);
}

/** Disconnects a container that runs; its files follow, and its ports go to the next way out. The lock of the container is held. */
export function disconnectLive(context: EngineContext, record: ContainerRecord, name: string): void {
  const networks = networksOf(context);
  const published = findOut(networks, record)?.network.name === name;
  networks.disconnect(name, record.id, { path: netnsPathOf(context, record) });
  const next = findOut(networks, record);
  const ports = bindingsOf(record);
  if (published && next !== undefined && ports.length > 0) networks.republish(next.network.name, record.id, ports);
  writeFiles(context, record, networks);
}
