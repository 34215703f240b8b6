// The flags of run and create about networks, and what they make of a CreateRequest.
import { LapError } from "@lapstrake/base";
import { parseAddHost, parseLink, parsePortSpec, type CreateRequest, type NetworkAttachment } from "@lapstrake/engine";
import { checkAddress, checkMac } from "../args/checks.ts";
import type { FlagReader } from "../args/parse.ts";
import type { Flag } from "../args/types.ts";

/** Sorted into those of run and create. */
export const NETWORK_FLAGS: readonly Flag[] = [
  {
    long: "add-host",
    kind: "list",
    help: "Add a custom host-to-IP mapping (host:ip)",
    check: (value) => void parseAddHost(value),
  },
  { long: "dns", kind: "list", help: "Set custom DNS servers", check: checkAddress },
  { long: "dns-option", kind: "list", help: "Set DNS options" },
  { long: "dns-search", kind: "list", help: "Set custom DNS search domains" },
  { long: "expose", kind: "list", help: "Expose a port or a range of ports" },
  { long: "ip", kind: "string", help: "IPv4 address (e.g., 172.30.100.104)" },
  { long: "ip6", kind: "string", help: "IPv6 address (e.g., 2001:db8::33)" },
  { long: "link", kind: "list", help: "Add link to another container", check: (value) => void parseLink(value) },
  { long: "mac-address", kind: "string", help: "Container MAC address (e.g., 92:d0:c6:0a:29:33)" },
  { long: "net", kind: "list", help: "Connect a container to a network", hidden: true },
  { long: "net-alias", kind: "list", help: "Add network-scoped alias for the container", hidden: true },
  { long: "network", kind: "list", valueName: "network", help: "Connect a container to a network" },
  { long: "network-alias", kind: "list", help: "Add network-scoped alias for the container" },
  { long: "publish", short: "p", kind: "list", help: "Publish a container's port(s) to the host" },
  { long: "publish-all", short: "P", kind: "bool", help: "Publish all exposed ports to random ports" },
];

type NetworkRequest = Partial<
  Pick<
    CreateRequest,
    | "network"
    | "attachments"
    | "ports"
    | "publishAll"
    | "exposedPorts"
    | "extraHosts"
    | "dns"
    | "dnsSearch"
    | "dnsOptions"
  >
>;

/** The fields that are asked for. Throws `ERR_LAP_PORT_SPEC`, `ERR_LAP_CONFLICTING_OPTIONS`. */
export function networkRequest(read: FlagReader): NetworkRequest {
  const [first, ...others] = [...read.list("network"), ...read.list("net")].map(parseNetwork);
  const own = mainAttachment(read, first?.attachment ?? {});
  const isPlain = Object.keys(own).length === 0 && others.length === 0;
  const attachments = [[first?.name ?? "default", own] as const, ...others.map((each) => [each.name, each.attachment])];
  return {
    ...(first === undefined ? {} : { network: first.name }),
    ...(isPlain ? {} : { attachments: Object.fromEntries(attachments) as Record<string, NetworkAttachment> }),
    ...(read.has("publish") ? { ports: read.list("publish").flatMap(parsePublish) } : {}),
    ...(read.bool("publish-all") ? { publishAll: true } : {}),
    ...(read.has("expose") ? { exposedPorts: read.list("expose").flatMap(parseExpose) } : {}),
    ...(read.has("add-host") ? { extraHosts: read.list("add-host") } : {}),
    ...(read.has("dns") ? { dns: read.list("dns") } : {}),
    ...(read.has("dns-search") ? { dnsSearch: read.list("dns-search") } : {}),
    ...(read.has("dns-option") ? { dnsOptions: read.list("dns-option") } : {}),
  };
}

/** What stands beside `--network` is about the first one. */
function mainAttachment(read: FlagReader, given: NetworkAttachment): NetworkAttachment {
  const aliases = [...(given.aliases ?? []), ...read.list("network-alias"), ...read.list("net-alias")];
  const links = [...(given.links ?? []), ...read.list("link")];
  const ip = read.text("ip") ?? given.ip;
  const ip6 = read.text("ip6") ?? given.ip6;
  checkMac(read.text("mac-address"));
  const mac = read.text("mac-address") ?? given.mac;
  return {
    ...(aliases.length === 0 ? {} : { aliases }),
    ...(links.length === 0 ? {} : { links }),
    ...(ip === undefined ? {} : { ip }),
    ...(ip6 === undefined ? {} : { ip6 }),
    ...(mac === undefined ? {} : { mac }),
  };
}

/** `NAME`, `name=NAME,alias=A,ip=…,ip6=…,mac-address=…` as docker has it, or `NAME:alias=A,ip=…` as podman has it. */
function parseNetwork(written: string): { readonly name: string; readonly attachment: NetworkAttachment } {
  const [, before, options] = /^(?!container:)([^:=,]+):(.*)$/.exec(written) ?? [];
  const text = before === undefined ? written : `name=${before},${options!.replace(/(^|,)mac=/g, "$1mac-address=")}`;
  if (!/(?:^|,)name=/.test(text)) return { name: text, attachment: {} };
  const pairs = keyValues(text, ["name", "alias", "ip", "ip6", "mac-address"]);
  const one = (key: string): string | undefined => pairs.find((pair) => pair[0] === key)?.[1];
  const aliases = pairs.filter(([key]) => key === "alias").map(([, value]) => value);
  const [ip, ip6, mac] = [one("ip"), one("ip6"), one("mac-address")];
  const attachment = {
    ...(aliases.length === 0 ? {} : { aliases }),
    ...(ip === undefined ? {} : { ip }),
    ...(ip6 === undefined ? {} : { ip6 }),
    ...(mac === undefined ? {} : { mac }),
  };
  return { name: one("name")!, attachment };
}

/** `[ip:][hostPort:]containerPort[/protocol]`, or `target=80,published=8080,protocol=tcp`. */
export function parsePublish(text: string): NonNullable<CreateRequest["ports"]> {
  if (!text.includes("=")) return parsePortSpec(text);
  const pairs = new Map(keyValues(text, ["target", "published", "protocol", "mode"]));
  const target = pairs.get("target");
  if (target === undefined) throw conflicting(`invalid publish opts format: "${text}" names no target`);
  checkMode(pairs.get("mode"));
  return parsePortSpec(`${pairs.get("published") ?? ""}:${target}/${pairs.get("protocol") ?? "tcp"}`);
}

/** Of a swarm's services; on one machine both are the same. */
function checkMode(mode: string = "host"): void {
  if (mode === "host" || mode === "ingress") return;
  throw conflicting(`invalid publish mode value (${mode}): must be either 'ingress' or 'host'`);
}

function parseExpose(text: string): string[] {
  if (text.includes(":")) throw conflicting(`invalid port format for --expose: ${text}`);
  return parsePortSpec(text).map(({ containerPort, protocol }) => `${containerPort}/${protocol}`);
}

function keyValues(text: string, known: readonly string[]): [string, string][] {
  return text.split(",").map((field) => {
    const at = field.indexOf("=");
    const key = field.slice(0, at).trim().toLowerCase();
    if (at > 0 && known.includes(key)) return [key, field.slice(at + 1).trim()];
    throw conflicting(`invalid field "${field}" (known are ${known.join(", ")})`);
  });
}

function conflicting(message: string): LapError {
  return new LapError("invalidArgument", "ERR_LAP_CONFLICTING_OPTIONS", message);
}
