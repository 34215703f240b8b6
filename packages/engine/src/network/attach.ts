// A container's network around its life: made before a start, taken away after the end. The namespace is held by a file in the container's
// directory, so that everything in it is ready before the helper starts, and a program that is run again finds it.
import { join } from "node:path";
import { existsSync } from "node:fs";
import { isLapError, LapError } from "@lapstrake/base";
import { createNetns, raiseLoopback, removeNetns } from "@lapstrake/core";
import type { EngineContext } from "../context.ts";
import { containerStatus } from "../containers/status.ts";
import { dirOf, findContainer } from "../state/containers.ts";
import { containerDir, readRecord, type ContainerRecord, type NetworkAttachment } from "../state/record.ts";
import type { LeaseRequest } from "./lease.ts";
import { networkMode } from "./mode.ts";
import { DEFAULT_NETWORK, isPublishing } from "./network-record.ts";
import { NETNS_FILE } from "./netns-file.ts";
import { emitNetwork } from "./network-events.ts";
import { writeFiles } from "./network-files.ts";
import { Networks } from "./networks.ts";
import { parsePortSpec, portName, type PortBinding } from "./port-spec.ts";

/** What a start joins. */
export interface PreparedNetwork {
  /** A file that holds the namespace; absent for a new one. */
  readonly netnsPath?: string;
  /** Directory of hostname, hosts and resolv.conf. */
  readonly filesDir: string;
  /** Puts devices into the namespace and names into the files: before the program runs. Absent where another container's is joined. */
  readonly connect?: () => void;
  /** The same by the pid of the first process, whose namespace it is; done before its program runs. */
  readonly connectProcess?: (pid: number) => Promise<void>;
}

/** The networks of the context's store. */
export function networksOf(context: EngineContext): Networks {
  return new Networks({ root: context.paths.root });
}

/** Path of the file that holds the namespace of a container with networks of its own. */
export function netnsPathOf(context: EngineContext, record: ContainerRecord): string {
  return join(dirOf(context.paths, record), NETNS_FILE);
}

/** Makes the namespace of a container that is about to start and whose lock is held; {@link dropNetwork} undoes whatever was done. */
export function prepareNetwork(context: EngineContext, record: ContainerRecord): PreparedNetwork {
  const mode = networkMode(record.request.network);
  if (mode.kind === "container") return joined(context, mode.container);
  const networks = networksOf(context);
  const netnsPath = netnsPathOf(context, record);
  dropNetwork(context, record); // What an earlier run left that was cut short.
  createNetns(netnsPath);
  const connect = (): void => {
    connectAll(context, networks, record, netnsPath);
    writeFiles(context, record, networks);
  };
  return { netnsPath, filesDir: dirOf(context.paths, record), connect };
}

/** The network of another container, which has to run. */
function joined(context: EngineContext, container: string): PreparedNetwork {
  const other = findContainer(context.paths, container);
  const { state, pid } = containerStatus(context.paths, other);
  if (state !== "running" && state !== "paused") {
    const text = `cannot join network of a non running container: ${other.id}`;
    throw new LapError("conflict", "ERR_LAP_NOT_RUNNING", text, { hint: `start it: lap start ${other.name}` });
  }
  return { netnsPath: `/proc/${pid}/ns/net`, filesDir: dirOf(context.paths, other) };
}

/** `80/tcp` of the image and of the request. */
export function exposedPorts(record: ContainerRecord): string[] {
  return [...new Set([...(record.image.exposedPorts ?? []), ...(record.request.exposedPorts ?? [])])];
}

/** What `-p` asks for, and with `-P` every exposed port that it leaves out. */
export function bindingsOf({ request, ...record }: ContainerRecord): readonly PortBinding[] {
  const asked = request.ports ?? [];
  if (request.publishAll !== true) return asked;
  const names = new Set(asked.map(portName));
  const rest = exposedPorts({ request, ...record }).filter((name) => !names.has(name));
  return [...asked, ...rest.flatMap(parsePortSpec)];
}

/** Ports are published where the way out is: at the first network that is not internal. */
function connectAll(context: EngineContext, networks: Networks, record: ContainerRecord, netnsPath: string): void {
  let ports = bindingsOf(record);
  const wanted = Object.entries(record.networks ?? {});
  // The first device raises it too.
  if (wanted.length === 0) raiseLoopback({ path: netnsPath });
  for (const [name, attachment] of wanted) {
    const given = isOut(networks, name) ? ports : [];
    try {
      networks.connect(name, { ...connection(record, attachment), netns: { path: netnsPath }, ports: given });
    } catch (error) {
      throw unable(name, error);
    }
    emitNetwork(context, networks.find(name), "connect", record.id);
    if (isOut(networks, name)) ports = [];
  }
  if (ports.length > 0)
    context.logger.warn("no port is published: no network of the container leads out through the machine");
}

/** What the kernel refuses of a network (no right, no nf_tables), with the way to do without. */
function unable(name: string, error: unknown): unknown {
  if (isLapError(error) && error.code !== "ERR_LAP_NFT_MISSING") return error;
  const text = `cannot connect to network ${name}: ${(error as Error).message}`;
  return new LapError("failedPrecondition", "ERR_LAP_NETWORK_UNAVAILABLE", text, {
    hint: "lap doctor tells what is missing; --network none and --network host need none of it",
    cause: error,
  });
}

/** A container as a network sees it. */
export function connection(record: ContainerRecord, attachment: NetworkAttachment): LeaseRequest {
  const addresses = [attachment.ip, attachment.ip6].filter((address) => address !== undefined);
  return {
    containerId: record.id,
    containerName: record.name,
    aliases: attachment.aliases ?? [],
    addresses,
    ...(attachment.links === undefined ? {} : { links: attachment.links }),
    ...(attachment.mac === undefined ? {} : { mac: attachment.mac }),
  };
}

/** True for a network that ports can be published of. */
export function isOut(networks: Networks, name: string): boolean {
  return name === DEFAULT_NETWORK || isPublishing(networks.find(name));
}

/** The way out of a container that runs: where its ports are published. */
export function findOut(
  networks: Networks,
  record: ContainerRecord,
): ReturnType<Networks["endpointsOf"]>[number] | undefined {
  const members = networks.endpointsOf(record.id);
  return (
    members.find(({ endpoint }) => endpoint.ports.length > 0) ?? members.find(({ network }) => isPublishing(network))
  );
}

/** True when a start publishes ports, which the keeper holds. */
export function publishes(record: ContainerRecord): boolean {
  return record.networks !== undefined && bindingsOf(record).length > 0;
}

/**
 * Makes bridges, firewall and addresses what the records and the running containers say: after a reboot, or when another program took them
 * away. Returns how many changes the firewall needed.
 */
export function restoreNetworks(context: EngineContext): number {
  const isAlive = (id: string): boolean => {
    const record = readRecord(containerDir(context.paths.containers, id));
    return record !== undefined && ["running", "paused"].includes(containerStatus(context.paths, record).state);
  };
  return networksOf(context).restore(isAlive);
}

/** Takes the network away that the record's run had; the lock of the container is held. Idempotent. */
export function dropNetwork(context: EngineContext, record: ContainerRecord): void {
  const path = netnsPathOf(context, record);
  if (existsSync(path)) removeNetns(path);
  const networks = networksOf(context);
  const members = networks.endpointsOf(record.id);
  if (members.length === 0) return;
  networks.disconnectAll(record.id, "with-namespace");
  for (const { network } of members) emitNetwork(context, network, "disconnect", record.id);
}
