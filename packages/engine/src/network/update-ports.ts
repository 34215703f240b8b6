// Published ports of a container that exists: asked for anew, at once if it runs and at every later start. Connections that stand go on.
import { LapError } from "@lapstrake/base";
import type { PublishedPort } from "@lapstrake/core";
import type { Engine } from "../engine.ts";
import { lockedIn } from "../containers/lock.ts";
import { containerStatus } from "../containers/status.ts";
import { wakeKeeper } from "../keeper/wake.ts";
import { findContainer } from "../state/containers.ts";
import { containerDir, writeRecord, type ContainerRecord } from "../state/record.ts";
import { bindingsOf, findOut, networksOf } from "./attach.ts";
import { portName, type PortBinding } from "./port-spec.ts";

/** What to change. */
export interface PortChanges {
  readonly publish?: readonly PortBinding[];
  /** Container ports that are no longer published, `80/tcp`. */
  readonly unpublish?: readonly string[];
}

/** Changes what a container publishes; returns what is published now (none when it does not run). Throws `ERR_LAP_PORT_TAKEN`, `ERR_LAP_NO_NETWORK`. */
export async function updatePorts(
  engine: Engine,
  container: string,
  changes: PortChanges,
): Promise<readonly PublishedPort[]> {
  const { context } = engine;
  const { id } = findContainer(context.paths, container);
  using _lock = await lockedIn(containerDir(context.paths.containers, id), { id });
  const record = findContainer(context.paths, id);
  const changed = withPorts(record, changes);
  const isAlive = ["running", "paused"].includes(containerStatus(context.paths, record).state);
  const ports = isAlive ? republish(engine, changed) : [];
  writeRecord(engine.dir(record), changed);
  return ports;
}

function withPorts(record: ContainerRecord, { publish = [], unpublish = [] }: PortChanges): ContainerRecord {
  if (record.networks === undefined) {
    const text = `container ${record.name} has no network of its own to publish ports of`;
    throw new LapError("failedPrecondition", "ERR_LAP_NETWORK_CONFLICT", text, {
      hint: "make it anew with --network bridge, or with the network's name",
    });
  }
  const present = bindingsOf(record);
  const missing = unpublish.find((name) => !present.some((binding) => portName(binding) === name));
  if (missing !== undefined) {
    throw new LapError("notFound", "ERR_LAP_PORT_SPEC", `No public port '${missing}' published for ${record.name}`);
  }
  const kept = present.filter((binding) => !unpublish.includes(portName(binding)));
  // What `-P` chose stays, now by name: else a port that was taken back would come again.
  const { publishAll: _all, ...request } = record.request;
  return { ...record, request: { ...request, ports: [...kept, ...publish] } };
}

function republish(engine: Engine, record: ContainerRecord): readonly PublishedPort[] {
  const networks = networksOf(engine.context);
  const out = findOut(networks, record);
  if (out === undefined) return [];
  const { ports } = networks.republish(out.network.name, record.id, bindingsOf(record));
  if (ports.length > 0) wakeKeeper(engine.context);
  return ports;
}
