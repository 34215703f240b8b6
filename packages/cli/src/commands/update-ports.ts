// The part of `lap update` about published ports: of a container that exists, also while it runs.
import { parsePortSpec, portName, updatePorts, type Engine } from "@lapstrake/engine";
import type { FlagReader } from "../args/parse.ts";
import type { Flag } from "../args/types.ts";
import { parsePublish } from "./network-flags.ts";

/** Flags of update; docker has none like them. */
export const PORT_UPDATE_FLAGS: readonly Flag[] = [
  { long: "publish", short: "p", kind: "list", help: "Publish another port of the container to the host" },
  { long: "publish-rm", kind: "list", valueName: "port", help: "Publish a port of the container no longer (80/tcp)" },
];

/** Does what the flags ask for; nothing when none is given. Throws `ERR_LAP_PORT_SPEC`, `ERR_LAP_PORT_TAKEN`. */
export async function updatePublished(engine: Engine, container: string, read: FlagReader): Promise<void> {
  if (!read.has("publish") && !read.has("publish-rm")) return;
  await updatePorts(engine, container, {
    publish: read.list("publish").flatMap(parsePublish),
    unpublish: read.list("publish-rm").flatMap(parsePortSpec).map(portName),
  });
}
