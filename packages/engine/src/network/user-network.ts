// The network of a container of a user without privilege: a namespace whose way out is a process of the user. Made at every start,
// ends with the run; what is published is kept in the container's directory for whoever asks.
import { readFileSync, rmSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { errorCode, LapError } from "@lapstrake/base";
import type { PublishedPort } from "@lapstrake/core";
import type { EngineContext } from "../context.ts";
import { writeHosts, writeResolvConf } from "../containers/managed-files.ts";
import { containerStatus } from "../containers/status.ts";
import { writeFileAtomic } from "../state/atomic.ts";
import { dirOf, listContainers } from "../state/containers.ts";
import type { ContainerRecord } from "../state/record.ts";
import { bindingsOf, type PreparedNetwork } from "./attach.ts";
import { formatHosts } from "./hosts-file.ts";
import { isOnUserNetwork, networkMode } from "./mode.ts";
import { startPasta, type UserAddress } from "./pasta.ts";
import { choosePorts, defaultPublishAddress } from "./publish.ts";
import { USER_RESOLVER, userModeResolvConf } from "./resolver.ts";
import { askSlirp } from "./slirp-api.ts";
import { SLIRP_SOCKET, startSlirp } from "./slirp.ts";

/** What slirp4netns(1) gives the container, and pasta(1) is told to. */
export const USER_ADDRESS: UserAddress = {
  address: "10.0.2.100",
  bits: 24,
  gateway: "10.0.2.2",
  resolver: USER_RESOLVER,
};

/** In the container's directory: the published ports of this run. */
const PORTS_FILE = "user-ports.json";

/** What a start of such a container joins: a namespace of its own, connected once its first process is there. */
export function prepareUserNetwork(context: EngineContext, record: ContainerRecord): PreparedNetwork {
  const dir = dirOf(context.paths, record);
  return {
    filesDir: dir,
    connect: () => writeFiles(dir, record),
    connectProcess: (pid) => connectProcess(context, record, pid),
  };
}

function writeFiles(dir: string, { request, hostname }: ContainerRecord): void {
  rmSync(join(dir, SLIRP_SOCKET), { force: true });
  rmSync(join(dir, PORTS_FILE), { force: true });
  const hosts = formatHosts({
    hostname,
    domainname: request.domainname,
    addresses: [USER_ADDRESS.address],
    extra: request.extraHosts ?? [],
    gateways: [machineAddress()],
  });
  writeHosts(dir, hosts);
  writeResolvConf(dir, userModeResolvConf(request));
}

/** The machine's own address: its loopback is closed to containers, and so is the gateway that would lead there. */
function machineAddress(): string {
  const all = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
  return all.find(({ family, internal }) => family === "IPv4" && !internal)?.address ?? USER_ADDRESS.gateway;
}

/** Gives the container whose first process is `pid` its way out, and publishes its ports. Throws `ERR_LAP_USER_NETWORK`, `ERR_LAP_PORT_IN_USE`. */
async function connectProcess(context: EngineContext, record: ContainerRecord, pid: number): Promise<void> {
  const dir = dirOf(context.paths, record);
  const ports = chooseAllowed(record);
  const mode = networkMode(record.request.network);
  if (mode.kind === "user" && mode.tool === "pasta") await startPasta(dir, pid, USER_ADDRESS, ports);
  else {
    await startSlirp(dir, pid);
    for (const port of ports) await publish(dir, port);
  }
  if (ports.length > 0) writeFileAtomic(join(dir, PORTS_FILE), JSON.stringify(ports), { durable: false });
}

/** Throws `ERR_LAP_NETWORK_ROOTLESS` for ports that are root's: ip(7), ip_unprivileged_port_start. */
function chooseAllowed(record: ContainerRecord): PublishedPort[] {
  const target = { owner: record.id, addresses: [USER_ADDRESS.address], hostBinding: defaultPublishAddress() };
  try {
    return choosePorts(bindingsOf(record), target, []);
  } catch (error) {
    if (errorCode(error) !== "EACCES") throw error;
    throw new LapError("permissionDenied", "ERR_LAP_NETWORK_ROOTLESS", "the machine keeps its low ports for root", {
      hint: "publish at a port of 1024 or above, or have root lower the sysctl net.ipv4.ip_unprivileged_port_start",
      cause: error,
    });
  }
}

function publish(dir: string, { protocol, hostIp, hostPort, port }: PublishedPort): Promise<void> {
  return askSlirp(dir, SLIRP_SOCKET, "add_hostfwd", {
    proto: protocol,
    host_addr: hostIp,
    host_port: hostPort,
    guest_addr: USER_ADDRESS.address,
    guest_port: port,
  });
}

/** What a container publishes now. */
export function userPorts(context: EngineContext, record: ContainerRecord): readonly PublishedPort[] {
  if (!["running", "paused"].includes(containerStatus(context.paths, record).state)) return [];
  try {
    return JSON.parse(readFileSync(join(dirOf(context.paths, record), PORTS_FILE), "utf8")) as PublishedPort[];
  } catch (error) {
    if (errorCode(error) === "ENOENT") return [];
    throw error;
  }
}

/** By container id, of the whole store. */
export function allUserPorts(context: EngineContext): [string, readonly PublishedPort[]][] {
  const records = listContainers(context.paths).filter(isOnUserNetwork);
  return records.map((record) => [record.id, userPorts(context, record)]);
}
