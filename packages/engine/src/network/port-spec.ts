// What people write after `-p`: [ip:][hostPort]:containerPort[/protocol], ports as numbers or ranges, as docker's go-connections reads
// it. Pure. The words of the errors are docker's.
import { isIP } from "node:net";
import { LapError } from "@lapstrake/base";
import type { Protocol } from "@lapstrake/core";

/** One port to publish; a host port of 0 is chosen when the container starts. */
export interface PortBinding {
  readonly protocol: Protocol;
  /** "" is the configured default address, in both families. */
  readonly hostIp: string;
  /** A choice among `[first, last]`; 0 and 0 is any. */
  readonly hostPorts: readonly [number, number];
  readonly containerPort: number;
}

const PROTOCOLS: readonly string[] = ["tcp", "udp", "sctp"];

function invalid(message: string): LapError {
  return new LapError("invalidArgument", "ERR_LAP_PORT_SPEC", message);
}

/** `80` or `8000-8010`; undefined when it is neither. */
function parseRange(text: string): readonly [number, number] | undefined {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text);
  if (match === null) return undefined;
  const [first, last] = [Number(match[1]), Number(match[2] ?? match[1])];
  return first <= last && last <= 65_535 ? [first, last] : undefined;
}

/** Address and the rest: an IPv6 address stands in brackets. */
function splitAddress(text: string): readonly [string, string] {
  const bracketed = /^\[([^\]]*)\]:(.*)$/s.exec(text);
  if (bracketed !== null) return [bracketed[1]!, bracketed[2]!];
  const parts = text.split(":");
  if (parts.length < 3) return ["", text];
  return [parts.slice(0, -2).join(":"), parts.slice(-2).join(":")];
}

function splitProtocol(text: string): readonly [string, Protocol] {
  const slash = text.lastIndexOf("/");
  const protocol = slash < 0 ? "tcp" : text.slice(slash + 1).toLowerCase();
  if (!PROTOCOLS.includes(protocol)) throw invalid(`invalid proto: ${protocol}`);
  return [slash < 0 ? text : text.slice(0, slash), protocol as Protocol];
}

function hostRange(text: string, container: readonly [number, number], whole: string): readonly [number, number] {
  if (text === "") return [0, 0];
  const host = parseRange(text);
  if (host === undefined) throw invalid(`invalid hostPort: ${text}`);
  const several = container[1] > container[0];
  if (several && host[1] - host[0] !== container[1] - container[0]) {
    const [ports, hosts] = [`${container[0]}-${container[1]}`, text];
    throw invalid(`invalid ranges specified for container and host Ports: ${ports} and ${hosts} in "${whole}"`);
  }
  return host;
}

/** Reads one `-p`; throws `ERR_LAP_PORT_SPEC`. A range of container ports gives a binding for each. */
export function parsePortSpec(spec: string): PortBinding[] {
  const [rest, protocol] = splitProtocol(spec);
  const [hostIp, ports] = splitAddress(rest);
  if (hostIp !== "" && isIP(hostIp) === 0) throw invalid(`invalid IP address: ${hostIp}`);
  const colon = ports.lastIndexOf(":");
  const containerText = ports.slice(colon + 1);
  if (containerText === "") throw invalid(`no port specified: ${spec}<empty>`);
  const container = parseRange(containerText);
  if (container === undefined || container[0] === 0) throw invalid(`invalid containerPort: ${containerText}`);
  const host = hostRange(colon < 0 ? "" : ports.slice(0, colon), container, spec);
  const count = container[1] - container[0] + 1;
  return Array.from({ length: count }, (_, i) => ({
    protocol,
    hostIp,
    // One container port may take any of a host range; several go pairwise.
    hostPorts: count === 1 || host[0] === 0 ? host : [host[0] + i, host[0] + i],
    containerPort: container[0] + i,
  }));
}

/** `80/tcp`, docker's name of a container port. */
export function portName(binding: Pick<PortBinding, "containerPort" | "protocol">): string {
  return `${binding.containerPort}/${binding.protocol}`;
}
