// Published ports by container, read from the records alone: ps asks for them each time.
import type { PublishedPort } from "@lapstrake/core";
import type { EngineContext } from "../context.ts";
import { isRootless } from "../sandbox/rootless.ts";
import { NetworkStore } from "./network-store.ts";

/** Published ports by container id. */
export async function publishedPorts(context: EngineContext): Promise<Map<string, readonly PublishedPort[]>> {
  const out = new Map<string, readonly PublishedPort[]>();
  for (const { endpoints } of new NetworkStore(context.paths.root).list()) {
    for (const { containerId, ports } of Object.values(endpoints))
      out.set(containerId, [...(out.get(containerId) ?? []), ...ports]);
  }
  if (!isRootless()) return out;
  const { allUserPorts } = await import("./user-network.ts");
  for (const [id, ports] of allUserPorts(context)) out.set(id, ports);
  return out;
}
