// The network part of docker's inspect objects: NetworkSettings of a container, and a network as a whole.
import type { Engine } from "../engine.ts";
import { containerStatus } from "../containers/status.ts";
import type { ContainerRecord, NetworkAttachment } from "../state/record.ts";
import { endpointsOf, findNetwork } from "./manage.ts";
import { exposedPorts, netnsPathOf } from "./attach.ts";
import { DEFAULT_NETWORK, type EndpointRecord, type NetworkRecord } from "./network-record.ts";
import { isOnUserNetwork } from "./mode.ts";
import { portsObject } from "./show-ports.ts";
import { USER_ADDRESS, userPorts } from "./user-network.ts";

type Shown = Readonly<Record<string, unknown>>;

const DEFAULT_MTU = 1500;

/** One family of an endpoint. */
interface Side {
  readonly address: string;
  readonly bits: number;
  readonly gateway: string;
}

const NO_SIDE: Side = { address: "", bits: 0, gateway: "" };

function sideOf(network: NetworkRecord, endpoint: EndpointRecord, isIpv6: boolean): Side {
  const withPrefix = endpoint.addresses.find((each) => each.includes(":") === isIpv6);
  if (withPrefix === undefined) return NO_SIDE;
  const [address = "", bits = "0"] = withPrefix.split("/");
  const pool = network.pools.find(({ subnet }) => subnet.includes(":") === isIpv6);
  return { address, bits: Number(bits), gateway: network.internal ? "" : (pool?.gateway ?? "") };
}

interface Member {
  readonly network: NetworkRecord;
  readonly endpoint: EndpointRecord;
}

/** The fields that an endpoint and, for the default network, the whole container have. */
function addressFields(member: Member | undefined): Shown {
  const four = member === undefined ? NO_SIDE : sideOf(member.network, member.endpoint, false);
  const six = member === undefined ? NO_SIDE : sideOf(member.network, member.endpoint, true);
  return {
    EndpointID: member?.endpoint.id ?? "",
    Gateway: four.gateway,
    GlobalIPv6Address: six.address,
    GlobalIPv6PrefixLen: six.bits,
    IPAddress: four.address,
    IPPrefixLen: four.bits,
    IPv6Gateway: six.gateway,
    MacAddress: member?.endpoint.mac ?? "",
  };
}

function ipamConfig({ ip, ip6 }: NetworkAttachment): Shown | null {
  if (ip === undefined && ip6 === undefined) return null;
  return { ...(ip === undefined ? {} : { IPv4Address: ip }), ...(ip6 === undefined ? {} : { IPv6Address: ip6 }) };
}

function endpointObject(
  record: ContainerRecord,
  name: string,
  attachment: NetworkAttachment,
  member: Member | undefined,
): Shown {
  const aliases = attachment.aliases ?? [];
  const dnsNames = name === DEFAULT_NETWORK ? null : [record.name, ...aliases, record.id.slice(0, 12)];
  return {
    IPAMConfig: ipamConfig(attachment),
    Links: attachment.links ?? null,
    Aliases: aliases.length === 0 ? null : aliases,
    DriverOpts: null,
    GwPriority: 0,
    NetworkID: member?.network.id ?? "",
    ...addressFields(member),
    DNSNames: dnsNames,
  };
}

/** The NetworkSettings object of a container. */
export function networkSettings(engine: Engine, record: ContainerRecord): Shown {
  const members = record.networks === undefined ? [] : endpointsOf(engine, record);
  const of = (name: string): Member | undefined => members.find(({ network }) => network.name === name);
  const ofUser = isOnUserNetwork(record) ? userNetwork(engine, record) : undefined;
  if (ofUser !== undefined) return ofUser;
  const isAlive = members.length > 0;
  const entries = Object.entries(record.networks ?? {}).map(([name, attachment]) => {
    return [name, endpointObject(record, name, attachment, of(name))];
  });
  const ports = members.flatMap(({ endpoint }) => endpoint.ports);
  return {
    Bridge: "",
    SandboxID: isAlive ? record.id : "",
    SandboxKey: isAlive ? netnsPathOf(engine.context, record) : "",
    Ports: isAlive ? portsObject(ports, exposedPorts(record)) : {},
    HairpinMode: false,
    LinkLocalIPv6Address: "",
    LinkLocalIPv6PrefixLen: 0,
    SecondaryIPAddresses: null,
    SecondaryIPv6Addresses: null,
    ...addressFields(of(DEFAULT_NETWORK)),
    Networks: Object.fromEntries(entries) as Shown,
  };
}

/** Where a process of the user is the way out: as podman shows it, addresses and ports and no networks. */
function userNetwork({ context }: Engine, record: ContainerRecord): Shown {
  const isAlive = ["running", "paused"].includes(containerStatus(context.paths, record).state);
  const { address, bits, gateway } = USER_ADDRESS;
  return {
    Bridge: "",
    SandboxID: isAlive ? record.id : "",
    SandboxKey: "",
    Ports: isAlive ? portsObject(userPorts(context, record), exposedPorts(record)) : {},
    HairpinMode: false,
    LinkLocalIPv6Address: "",
    LinkLocalIPv6PrefixLen: 0,
    SecondaryIPAddresses: null,
    SecondaryIPv6Addresses: null,
    ...addressFields(undefined),
    ...(isAlive ? { Gateway: gateway, IPAddress: address, IPPrefixLen: bits } : {}),
    Networks: {},
  };
}

function ipamPools({ pools }: NetworkRecord): Shown[] {
  return pools.map(({ subnet, range, gateway, reserved }) => ({
    Subnet: subnet,
    ...(range === undefined ? {} : { IPRange: range }),
    ...(gateway === undefined ? {} : { Gateway: gateway }),
    ...(reserved === undefined ? {} : { AuxiliaryAddresses: reserved }),
  }));
}

function memberObject(endpoint: EndpointRecord): Shown {
  const of = (isIpv6: boolean): string => endpoint.addresses.find((each) => each.includes(":") === isIpv6) ?? "";
  return {
    Name: endpoint.containerName,
    EndpointID: endpoint.id,
    MacAddress: endpoint.mac,
    IPv4Address: of(false),
    IPv6Address: of(true),
  };
}

function networkOptions(record: NetworkRecord): Shown {
  if (record.name !== DEFAULT_NETWORK) return record.options;
  return {
    "com.docker.network.bridge.default_bridge": "true",
    "com.docker.network.bridge.enable_icc": String(record.icc),
    "com.docker.network.bridge.enable_ip_masquerade": String(record.masquerade),
    "com.docker.network.bridge.host_binding_ipv4": record.hostBinding === "" ? "0.0.0.0" : record.hostBinding,
    "com.docker.network.bridge.name": record.bridge,
    "com.docker.network.driver.mtu": String(record.mtu ?? DEFAULT_MTU),
  };
}

/** The object `docker network inspect` prints. Throws `ERR_LAP_NO_NETWORK`. */
export function inspectNetwork(engine: Engine, wanted: string): Shown {
  const { id, name, driver, createdAt, record } = findNetwork(engine, wanted);
  const members = Object.entries(record?.endpoints ?? {});
  return {
    Name: name,
    Id: id,
    Created: createdAt,
    Scope: "local",
    Driver: driver,
    EnableIPv4: record?.pools.some(({ subnet }) => !subnet.includes(":")) ?? false,
    EnableIPv6: record?.ipv6 ?? false,
    IPAM: { Driver: "default", Options: null, Config: record === undefined ? null : ipamPools(record) },
    Internal: record?.internal ?? false,
    Attachable: record?.attachable ?? false,
    Ingress: false,
    ConfigFrom: { Network: "" },
    ConfigOnly: false,
    Containers: Object.fromEntries(members.map(([containerId, endpoint]) => [containerId, memberObject(endpoint)])),
    Options: record === undefined ? {} : networkOptions(record),
    Labels: record?.labels ?? {},
  };
}
