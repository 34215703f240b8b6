// What a Wasm container has of the network: ports that its handler of requests listens on, and hosts that it may send requests to. The
// guest has no sockets; its host answers and sends for it, from a network namespace like any container's.
import type { NamespaceSpec } from "@lapstrake/base";
import type { CreateRequest } from "../containers/request.ts";
import type { ContainerRecord } from "../state/record.ts";

/** What a guest may send over HTTP: nothing unless it is named. */
export interface GuestHttp {
  /** `host[:port]`, `*.example.com`, `[::1]:8080`; without a port 80 and 443. */
  readonly allow?: readonly string[];
  readonly secrets?: readonly GuestSecret[];
}

/** A value that the guest never holds: it has a placeholder as variable `name`, which is replaced in the headers of what it sends. */
export interface GuestSecret {
  readonly name: string;
  /** `env:VARIABLE` of who makes the container, or `file:PATH`. */
  readonly source: string;
  /** Where it is sent to; default all hosts that are allowed. */
  readonly hosts?: readonly string[];
}

/** True when a Wasm container is to be on a network: others are on none. */
export function asksNetwork({ network, ports = [], publishAll, attachments, guestHttp }: CreateRequest): boolean {
  if (network !== undefined || attachments !== undefined || publishAll === true) return true;
  return ports.length > 0 || (guestHttp?.allow ?? []).length > 0;
}

/** The TCP ports that a handler of requests listens on: those that are published or exposed. */
export function servingPorts({ image, request }: ContainerRecord): number[] {
  const exposed = [...(image.exposedPorts ?? []), ...(request.exposedPorts ?? [])];
  const tcp = exposed.filter((name) => /^\d+(?:\/tcp)?$/.test(name)).map((name) => Number.parseInt(name, 10));
  const published = (request.ports ?? []).filter(({ protocol }) => protocol === "tcp");
  return [...new Set([...published.map(({ containerPort }) => containerPort), ...tcp])];
}

/** The payload's namespaces, with the network that it is to have. */
export function withNetwork(
  namespaces: readonly NamespaceSpec[],
  { network }: CreateRequest,
  joined: { readonly netnsPath?: string } | undefined,
): NamespaceSpec[] {
  const others = namespaces.filter(({ type }) => type !== "network");
  if (network === "host") return others;
  if (joined === undefined) return [...namespaces];
  const { netnsPath } = joined;
  return [...others, { type: "network", ...(netnsPath === undefined ? {} : { path: netnsPath }) }];
}

/** The payload has no capabilities, and in a namespace of its own every port is its to listen on. */
export const ANY_PORT: Readonly<Record<string, string>> = { "net.ipv4.ip_unprivileged_port_start": "0" };
