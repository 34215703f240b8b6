// From what people asked (`-p`) to ports of the host: families, default addresses, ports that are to be chosen. The socket that reserves a
// port proves that no program of the host has it.
import { randomInt } from "node:crypto";
import { isIP } from "node:net";
import { LapError, isLapError } from "@lapstrake/base";
import { canListenIpv6, isTranslated, reservePort, type PublishedPort } from "@lapstrake/core";
import type { PortBinding } from "./port-spec.ts";
import { hostAddress } from "./show-ports.ts";

/** Where docker and Linux look for free ports: net.ipv4.ip_local_port_range. */
const EPHEMERAL = [32_768, 60_999] as const;
const TRIES = 200;
const PATIENCE_MS = 500;
const STEP_MS = 10;

/** Where ports are published that name no address of the machine, unless their network says: `LAP_PUBLISH_ADDRESS`, "" for everywhere. */
export function defaultPublishAddress(env: Readonly<Record<string, string | undefined>> = process.env): string {
  const address = env["LAP_PUBLISH_ADDRESS"] ?? "";
  if (address === "" || address === "0.0.0.0") return "";
  if (isIP(address) !== 0) return address;
  throw new LapError("invalidArgument", "ERR_LAP_PORT_SPEC", `invalid LAP_PUBLISH_ADDRESS "${address}"`, {
    hint: "set it to an IP address of this machine, such as 127.0.0.1",
  });
}

/** Whose port it is, and how it is reached inside. */
export interface PublishTarget {
  readonly owner: string;
  /** Without prefix length. */
  readonly addresses: readonly string[];
  /** Address for bindings that name none; "" is everywhere. */
  readonly hostBinding: string;
  /** Network namespace of the host; default the caller's. */
  readonly netns?: number | undefined;
  /** True when somebody brings connections in IPv6 to a container that has IPv4 only. */
  readonly proxies?: boolean;
}

/** The addresses of the host that a binding means, each with the container's address of its family, or the one that a proxy leads to. */
function sides(binding: PortBinding, target: PublishTarget): { readonly hostIp: string; readonly address: string }[] {
  const asked = binding.hostIp === "" ? target.hostBinding : binding.hostIp;
  const hostIps = asked === "" ? ["0.0.0.0", "::"] : [asked];
  const crosses = target.proxies === true && binding.protocol !== "sctp";
  return hostIps.flatMap((hostIp) => {
    const same = target.addresses.find((each) => each.includes(":") === hostIp.includes(":"));
    if (same !== undefined) return [{ hostIp, address: same }];
    const other = crosses && hostIp.includes(":") ? target.addresses[0] : undefined;
    // Nobody asked for IPv6 by name: a machine without it goes without.
    if (other === undefined || (asked === "" && !canListenIpv6(target.netns))) return [];
    return [{ hostIp, address: other }];
  });
}

/** The error of a port that a program of the host has; undefined for a free one. */
function whyNotFree(port: PublishedPort, netns: number | undefined): LapError | undefined {
  try {
    using _held = reservePort(port, netns);
    return undefined;
  } catch (error) {
    if (isLapError(error) && error.code === "ERR_LAP_PORT_IN_USE") return error;
    throw error;
  }
}

/** Throws `ERR_LAP_PORT_IN_USE` once waiting is over: the keeper lets go of a port a moment after its container did. */
function checkFree(port: PublishedPort, netns: number | undefined): void {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const refusal = whyNotFree(port, netns);
    if (refusal === undefined) return;
    if (Date.now() > deadline) throw refusal;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, STEP_MS);
  }
}

/** Ports to try, in order: a given one, a range, or random ones. */
function candidates([first, last]: readonly [number, number]): number[] {
  if (first === 0) return Array.from({ length: TRIES }, () => randomInt(EPHEMERAL[0], EPHEMERAL[1] + 1));
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}

function key({ protocol, hostPort }: PublishedPort): string {
  return `${protocol} ${hostPort}`;
}

/**
 * Chooses host ports for bindings; `taken` are those published already. A single port that is taken is passed on, for the firewall to name
 * its holder. Throws `ERR_LAP_PORT_IN_USE` and, when nothing of a range is free, `ERR_LAP_PORT_TAKEN`.
 */
export function choosePorts(
  bindings: readonly PortBinding[],
  target: PublishTarget,
  taken: readonly PublishedPort[],
): PublishedPort[] {
  // What the owner has now it may have again.
  const held = taken.filter(({ owner }) => owner !== target.owner);
  const used = new Set(held.map(key));
  // The keeper holds them.
  const own = new Set(taken.filter((port) => !held.includes(port)).map((port) => `${port.hostIp} ${key(port)}`));
  const out: PublishedPort[] = [];
  for (const binding of bindings) {
    const chosen = chooseOne(binding, target, used, own);
    checkOverlap(chosen, held);
    for (const port of chosen) used.add(key(port));
    out.push(...chosen);
  }
  return out;
}

/** As with sockets, every address of a family and one of them exclude each other; of equal ones the firewall finds those it knows. */
function checkOverlap(ports: readonly PublishedPort[], held: readonly PublishedPort[]): void {
  const isAny = ({ hostIp }: PublishedPort): boolean => hostIp === "0.0.0.0" || hostIp === "::";
  const isSameFamily = (a: PublishedPort, b: PublishedPort): boolean =>
    a.hostIp.includes(":") === b.hostIp.includes(":");
  const clashes = (a: PublishedPort, b: PublishedPort): boolean =>
    key(a) === key(b) && (a.hostIp === b.hostIp || (isSameFamily(a, b) && isAny(a) !== isAny(b)));
  const port = ports.find((each) => held.some((other) => clashes(each, other)));
  if (port === undefined) return;
  const isKnown = (other: PublishedPort): boolean =>
    clashes(port, other) && port.hostIp === other.hostIp && isTranslated(other);
  if (isTranslated(port) && held.some(isKnown)) return;
  const text = `Bind for ${hostAddress(port)} failed: port is already allocated`;
  throw new LapError("conflict", "ERR_LAP_PORT_TAKEN", text);
}

function chooseOne(
  binding: PortBinding,
  target: PublishTarget,
  used: ReadonlySet<string>,
  own: ReadonlySet<string>,
): PublishedPort[] {
  const where = sides(binding, target);
  const at = (hostPort: number): PublishedPort[] =>
    where.map((side) => ({
      owner: target.owner,
      protocol: binding.protocol,
      ...side,
      hostPort,
      port: binding.containerPort,
    }));
  const [first, last] = binding.hostPorts;
  if (first === last && first !== 0) {
    const isOurs = (port: PublishedPort): boolean => used.has(key(port)) || own.has(`${port.hostIp} ${key(port)}`);
    for (const port of at(first)) if (!isOurs(port)) checkFree(port, target.netns);
    return at(first);
  }
  for (const hostPort of candidates(binding.hostPorts)) {
    const ports = at(hostPort);
    if (ports.every((port) => !used.has(key(port)) && whyNotFree(port, target.netns) === undefined)) return ports;
  }
  const text = `Bind for ${where[0]?.hostIp ?? ""}:${first}-${last} failed: all ports are allocated`;
  throw new LapError("conflict", "ERR_LAP_PORT_TAKEN", text);
}
