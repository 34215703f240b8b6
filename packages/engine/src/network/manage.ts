// Networks as people manage them: list, make, remove, connect, disconnect. What a container is to be on is its record's, what it is on
// now is the network's; both change under the container's lock.
import { LapError } from "@lapstrake/base";
import type { Engine } from "../engine.ts";
import { serveContainer } from "../keeper/client.ts";
import { hasResolver, wakeKeeper } from "../keeper/wake.ts";
import { lockedIn } from "../containers/lock.ts";
import { containerStatus } from "../containers/status.ts";
import { findContainer } from "../state/containers.ts";
import { containerDir, writeRecord, type ContainerRecord, type NetworkAttachment } from "../state/record.ts";
import { connectLive, disconnectLive } from "./attach-live.ts";
import { networksOf, publishes } from "./attach.ts";
import { networkMode } from "./mode.ts";
import { DEFAULT_NETWORK, type EndpointRecord, type NetworkDriver, type NetworkRecord } from "./network-record.ts";
import { emitPrune } from "../events/prune-event.ts";
import { emitNetwork } from "./network-events.ts";
import { pseudoNetwork } from "./pseudo-network.ts";
import type { NetworkRequest } from "./network-store.ts";
import { checkAttachment } from "./resolve.ts";

/** A network as listings show it: a bridge, or one of the two that are no devices. */
export interface NetworkRow {
  readonly id: string;
  readonly name: string;
  readonly driver: NetworkDriver | "host" | "null";
  /** ISO time. */
  readonly createdAt: string;
  readonly record: NetworkRecord | undefined;
}

/** Every network by name, the default one and those of no devices among them. */
export function listNetworks(engine: Engine): NetworkRow[] {
  const networks = networksOf(engine.context);
  const { createdAt } = networks.ensureDefault();
  const bridges = networks.list().map((record): NetworkRow => {
    return { id: record.id, name: record.name, driver: record.driver ?? "bridge", createdAt: record.createdAt, record };
  });
  const pseudo = (["host", "none"] as const).map((name): NetworkRow => {
    return { ...pseudoNetwork(engine.context.paths.root, name), createdAt, record: undefined };
  });
  return [...bridges, ...pseudo].toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** By name, id or unique prefix. Throws `ERR_LAP_NO_NETWORK`. */
export function findNetwork(engine: Engine, wanted: string): NetworkRow {
  const rows = listNetworks(engine);
  const pseudo = rows.find(({ record, name, id }) => record === undefined && (name === wanted || id === wanted));
  if (pseudo !== undefined) return pseudo;
  const { id } = networksOf(engine.context).find(wanted);
  return rows.find((row) => row.id === id)!;
}

/** Makes a network; throws `ERR_LAP_NETWORK_EXISTS`, `ERR_LAP_SUBNET_OVERLAP` and what a name can be wrong about. */
export function createNetwork(engine: Engine, request: NetworkRequest): NetworkRecord {
  const record = networksOf(engine.context).create(request);
  emitNetwork(engine.context, record, "create");
  return record;
}

/** Removes a network that nobody is on; throws `ERR_LAP_NETWORK_IN_USE`. */
export function removeNetwork(engine: Engine, wanted: string): void {
  const { record, name } = findNetwork(engine, wanted);
  if (record === undefined || name === DEFAULT_NETWORK) predefined(name);
  emitNetwork(engine.context, networksOf(engine.context).remove(wanted), "destroy");
}

function predefined(name: string): never {
  const text = `${name} is a pre-defined network and cannot be removed`;
  throw new LapError("permissionDenied", "ERR_LAP_NETWORK_PREDEFINED", text);
}

/** Removes every network of people that nobody is on; returns their names. */
export function pruneNetworks(engine: Engine, keep: (record: NetworkRecord) => boolean = () => false): string[] {
  const networks = networksOf(engine.context);
  const unused = networks
    .list()
    .filter((record) => record.name !== DEFAULT_NETWORK && Object.keys(record.endpoints).length === 0);
  const names = unused
    .filter((record) => !keep(record))
    .map(({ id }) => {
      const removed = networks.remove(id);
      emitNetwork(engine.context, removed, "destroy");
      return removed.name;
    });
  // Nobody sees the default one's bridge come and go.
  if (process.getuid?.() === 0) networks.lowerUnused();
  emitPrune(engine.context, "network", 0);
  return names;
}

/** Connects a container, at once if it runs and at every later start. Throws `ERR_LAP_ENDPOINT_EXISTS`, `ERR_LAP_NETWORK_CONFLICT`. */
export async function connectNetwork(
  engine: Engine,
  wanted: string,
  container: string,
  attachment: NetworkAttachment = {},
): Promise<void> {
  const found = findContainer(engine.context.paths, container);
  const { name } = deviceNetwork(engine, wanted);
  checkAttachment(name, attachment);
  const connected = await addAttachment(engine, found.id, name, attachment);
  if (connected === undefined) return;
  if (hasResolver(connected)) await serveContainer(engine.context, found.id);
  else if (publishes(connected)) wakeKeeper(engine.context);
}

/** The record of a container that runs and so is connected now. */
async function addAttachment(
  engine: Engine,
  id: string,
  name: string,
  attachment: NetworkAttachment,
): Promise<ContainerRecord | undefined> {
  using _lock = await lockedIn(containerDir(engine.context.paths.containers, id), { id });
  const record = changeable(engine, id);
  const isAlive = runs(engine, record);
  if (record.networks?.[name] !== undefined && !isAlive) alreadyThere(record, name);
  const changed = { ...record, networks: { ...record.networks, [name]: attachment } };
  // First what later starts read: when this process is killed after it, a retry connects what runs.
  writeRecord(engine.dir(record), changed);
  try {
    if (isAlive) connectLive(engine.context, changed, name, attachment);
  } catch (error) {
    writeRecord(engine.dir(record), record);
    throw error;
  }
  return isAlive ? changed : undefined;
}

/** Disconnects a container; one that is not on the network is an error unless `force`. */
export async function disconnectNetwork(
  engine: Engine,
  wanted: string,
  container: string,
  options: { readonly force?: boolean } = {},
): Promise<void> {
  const { name } = deviceNetwork(engine, wanted);
  const found = findContainer(engine.context.paths, container);
  using _lock = await lockedIn(engine.dir(found), found);
  const record = changeable(engine, found.id);
  if (record.networks?.[name] === undefined) {
    if (options.force === true) return;
    const text = `container ${record.id} is not connected to network ${name}`;
    throw new LapError("permissionDenied", "ERR_LAP_NOT_CONNECTED", text);
  }
  const { [name]: _gone, ...networks } = record.networks;
  const changed = { ...record, networks };
  if (runs(engine, record)) disconnectLive(engine.context, changed, name);
  writeRecord(engine.dir(record), changed);
  emitNetwork(engine.context, networksOf(engine.context).find(name), "disconnect", record.id);
}

function deviceNetwork(engine: Engine, wanted: string): NetworkRecord {
  const { record, name } = findNetwork(engine, wanted);
  if (record !== undefined) return record;
  const text = `container cannot be connected to or disconnected from the ${name} network`;
  throw new LapError("invalidArgument", "ERR_LAP_NETWORK_CONFLICT", text);
}

/** The record as it is under the lock; one without networks of its own cannot be connected. */
function changeable(engine: Engine, id: string): ContainerRecord {
  const record = findContainer(engine.context.paths, id);
  const mode = networkMode(record.request.network);
  if (record.networks !== undefined) return record;
  const text =
    mode.kind === "container"
      ? "container sharing network namespace with another container or host cannot be connected to any other network"
      : `container cannot be connected to multiple networks with one of the networks in ${mode.kind} mode`;
  throw new LapError("invalidArgument", "ERR_LAP_NETWORK_CONFLICT", text, {
    hint: "make it anew with --network bridge, or with the network's name",
  });
}

function alreadyThere(record: ContainerRecord, name: string): never {
  const text = `endpoint with name ${record.name} already exists in network ${name}`;
  throw new LapError("permissionDenied", "ERR_LAP_ENDPOINT_EXISTS", text);
}

function runs(engine: Engine, record: ContainerRecord): boolean {
  return ["running", "paused"].includes(containerStatus(engine.context.paths, record).state);
}

/** What a container is on now. */
export function endpointsOf(
  engine: Engine,
  record: ContainerRecord,
): { readonly network: NetworkRecord; readonly endpoint: EndpointRecord }[] {
  return networksOf(engine.context).endpointsOf(record.id);
}
