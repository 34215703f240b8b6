// Published ports in docker's words: the PORTS column of ps, the lines of port, and the Ports object of inspect. Pure.
import type { PublishedPort } from "@lapstrake/core";

/** A port without the parts that only the firewall needs. */
export type ShownPort = Pick<PublishedPort, "protocol" | "hostIp" | "hostPort" | "port">;

/** `127.0.0.1:8080`, `[::]:8080`. */
export function hostAddress({ hostIp, hostPort }: ShownPort): string {
  return `${hostIp.includes(":") ? `[${hostIp}]` : hostIp}:${hostPort}`;
}

function compare(a: ShownPort, b: ShownPort): number {
  const byText = (x: string, y: string): number => (x < y ? -1 : x > y ? 1 : 0);
  return (
    byText(a.protocol, b.protocol) ||
    Number(a.hostIp.includes(":")) - Number(b.hostIp.includes(":")) ||
    byText(a.hostIp, b.hostIp) ||
    a.port - b.port ||
    a.hostPort - b.hostPort
  );
}

/** A run of ports: container and host ports go up together. */
interface Run {
  readonly first: ShownPort;
  last: ShownPort;
}

function runsOf(ports: readonly ShownPort[]): Run[] {
  const runs: Run[] = [];
  for (const port of ports.toSorted(compare)) {
    const run = runs.at(-1);
    const isSameSide = run?.last.protocol === port.protocol && run.last.hostIp === port.hostIp;
    if (isSameSide && run.last.port + 1 === port.port && run.last.hostPort + 1 === port.hostPort) run.last = port;
    else runs.push({ first: port, last: port });
  }
  return runs;
}

function range(first: number, last: number): string {
  return first === last ? String(first) : `${first}-${last}`;
}

/** The PORTS column; `exposed` are `80/tcp`, shown where nothing is published. */
export function portsColumn(ports: readonly ShownPort[], exposed: readonly string[]): string {
  const published = runsOf(ports).map(({ first, last }) => {
    const host = hostAddress(first).replace(/\d+$/, range(first.hostPort, last.hostPort));
    return [first.port, `${host}->${range(first.port, last.port)}/${first.protocol}`] as const;
  });
  const isPublished = (name: string): boolean => ports.some(({ port, protocol }) => `${port}/${protocol}` === name);
  const only = exposed.filter((name) => !isPublished(name)).map((name) => [Number.parseInt(name, 10), name] as const);
  return [...published, ...only]
    .toSorted(([a], [b]) => a - b)
    .map(([, text]) => text)
    .join(", ");
}

/** By `80/tcp`, where each is published; exposed ones that are not, null. */
export function portsObject(
  ports: readonly ShownPort[],
  exposed: readonly string[],
): Record<string, { readonly HostIp: string; readonly HostPort: string }[] | null> {
  const out: Record<string, { HostIp: string; HostPort: string }[] | null> = Object.fromEntries(
    exposed.map((name) => [name, null]),
  );
  for (const port of ports.toSorted(compare)) {
    const name = `${port.port}/${port.protocol}`;
    out[name] = [...(out[name] ?? []), { HostIp: port.hostIp, HostPort: String(port.hostPort) }];
  }
  return Object.fromEntries(Object.entries(out).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
