// Events of networks, with docker's names and attributes.
import { emit, type EventSink } from "../events/emit.ts";
import type { NetworkRecord } from "./network-record.ts";

/** Says what happened to a network, and to which container on it. */
export function emitNetwork(
  sink: EventSink,
  network: Pick<NetworkRecord, "id" | "name"> & { readonly driver?: string },
  action: "create" | "connect" | "disconnect" | "destroy",
  containerId?: string,
): void {
  const who = containerId === undefined ? {} : { container: containerId };
  emit(sink, "network", action, network.id, { ...who, name: network.name, type: network.driver ?? "bridge" });
}
