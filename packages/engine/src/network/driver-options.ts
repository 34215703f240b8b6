// `-o name=value` of a new network: docker's options of the drivers, each done or refused with the reason. Pure.
import { isIP } from "node:net";
import { LapError } from "@lapstrake/base";
import type { MacvlanMode, NetworkDriver } from "./network-record.ts";
import type { NetworkRequest } from "./network-store.ts";

type Fields = Partial<NetworkRequest>;
type Read = (value: string, name: string) => Fields;

const PREFIX = "com.docker.network.";
const BRIDGE = `${PREFIX}bridge.`;
const MIN_MTU = 68;
const MAX_MTU = 65_535;

function invalid(text: string, hint?: string): LapError {
  return new LapError("invalidArgument", "ERR_LAP_NETWORK_OPTION", text, hint === undefined ? {} : { hint });
}

/** In docker's words. */
function unreadable(value: string, name: string, go: "ParseBool" | "Atoi"): LapError {
  return invalid(
    `failed to parse ${name} value: ${value} (strconv.${go}: parsing ${JSON.stringify(value)}: invalid syntax)`,
  );
}

/** As Go's strconv.ParseBool, which docker uses. */
function parseBool(value: string, name: string): boolean {
  if (["1", "t", "T", "true", "TRUE", "True"].includes(value)) return true;
  if (["0", "f", "F", "false", "FALSE", "False"].includes(value)) return false;
  throw unreadable(value, name, "ParseBool");
}

function parseMtu(value: string, name: string): Fields {
  if (!/^\d+$/.test(value)) throw unreadable(value, name, "Atoi");
  const mtu = Number(value);
  if (mtu === 0) return {};
  if (mtu >= MIN_MTU && mtu <= MAX_MTU) return { mtu };
  throw invalid(
    `invalid value "${value}" of driver option ${name}`,
    `use a number of bytes from ${MIN_MTU} to ${MAX_MTU}`,
  );
}

function parseBinding(value: string, name: string): Fields {
  if (isIP(value) !== 4)
    throw invalid(`invalid value "${value}" of driver option ${name}`, "use an IPv4 address of this machine");
  return { hostBinding: value === "0.0.0.0" ? "" : value };
}

function parsePrefix(value: string, name: string): Fields {
  if (/^[A-Za-z][\w.-]{0,11}$/.test(value)) return { ifnamePrefix: value };
  throw invalid(`invalid value "${value}" of driver option ${name}`, "use up to 12 characters, a letter first");
}

function gatewayMode(value: string, name: string): Fields {
  if (value === "nat") return {};
  throw invalid(
    `unsupported gateway mode "${value}" in driver option ${name}`,
    `members are reached through published ports: leave it away, or see ${BRIDGE}enable_ip_masquerade`,
  );
}

function refuse(why: string): Read {
  return (_value, name) => {
    throw invalid(`unsupported driver option "${name}"`, why);
  };
}

const COMMON: Readonly<Record<string, Read>> = {
  [`${PREFIX}driver.mtu`]: parseMtu,
  mtu: parseMtu,
  [`${PREFIX}container_iface_prefix`]: parsePrefix,
  [`${PREFIX}enable_ipv4`]: (value, name) => ({ ipv4: parseBool(value, name) }),
  [`${PREFIX}enable_ipv6`]: (value, name) => ({ ipv6: parseBool(value, name) }),
};

const OPTIONS: Readonly<Record<NetworkDriver, Readonly<Record<string, Read>>>> = {
  bridge: {
    ...COMMON,
    [`${BRIDGE}name`]: (value) => ({ bridge: value }),
    [`${BRIDGE}enable_icc`]: (value, name) => ({ icc: parseBool(value, name) }),
    [`${BRIDGE}enable_ip_masquerade`]: (value, name) => ({ masquerade: parseBool(value, name) }),
    [`${BRIDGE}host_binding_ipv4`]: parseBinding,
    [`${BRIDGE}inhibit_ipv4`]: (value, name) => ({ inhibitIpv4: parseBool(value, name) }),
    [`${BRIDGE}gateway_mode_ipv4`]: gatewayMode,
    [`${BRIDGE}gateway_mode_ipv6`]: gatewayMode,
    [`${BRIDGE}trusted_host_interfaces`]: refuse("other devices reach members through published ports only"),
    [`${BRIDGE}default_bridge`]: refuse("the default network is always there: it is named bridge"),
    [`${PREFIX}host_ipv4`]: refuse("members are hidden behind the address of the device that they leave by"),
    [`${PREFIX}host_ipv6`]: refuse("members are hidden behind the address of the device that they leave by"),
  },
  macvlan: {
    ...COMMON,
    parent: (value) => ({ parent: value }),
    macvlan_mode: (value) => ({ mode: macvlanMode(value) }),
  },
  ipvlan: { ...COMMON, parent: (value) => ({ parent: value }), ipvlan_mode: ipvlanMode, ipvlan_flag: ipvlanFlag },
};

function macvlanMode(value: string): MacvlanMode {
  const found = (["bridge", "private", "vepa", "passthru"] as const).find((mode) => mode === value);
  if (found === undefined) throw invalid(`unknown macvlan mode "${value}"`, "use bridge, private, vepa or passthru");
  return found;
}

function ipvlanMode(value: string): Fields {
  if (value === "l2") return {};
  throw invalid(`unsupported ipvlan mode "${value}"`, "use l2, or a bridge for what is to be routed");
}

function ipvlanFlag(value: string): Fields {
  if (value === "bridge") return {};
  throw invalid(`unsupported ipvlan flag "${value}"`, "use bridge");
}

/** The driver of a name; throws `ERR_LAP_NETWORK_DRIVER` in docker's words. */
export function networkDriver(name: string): NetworkDriver {
  if (name === "" || name === "default") return "bridge";
  const found = (["bridge", "macvlan", "ipvlan"] as const).find((driver) => driver === name);
  if (found !== undefined) return found;
  const isMachines = name === "host" || name === "null";
  const text = isMachines
    ? `only one instance of "${name}" network is allowed`
    : `could not find plugin ${name} in v1 plugin registry: plugin not found`;
  const hint = "drivers of one machine are bridge, macvlan and ipvlan";
  throw new LapError(isMachines ? "permissionDenied" : "notFound", "ERR_LAP_NETWORK_DRIVER", text, { hint });
}

/** What a driver's options ask for; throws `ERR_LAP_NETWORK_OPTION`. */
export function driverRequest(driver: NetworkDriver, options: Readonly<Record<string, string>>): Fields {
  const known = OPTIONS[driver];
  const fields = Object.entries(options).map(([name, value]) => {
    const read = known[name];
    if (read !== undefined) return read(value, name);
    throw invalid(`unsupported driver option "${name}"`, `known to ${driver} are ${Object.keys(known).join(", ")}`);
  });
  const all = Object.assign({ driver, options }, ...fields) as Fields;
  if (driver === "bridge" || all.parent !== undefined) return all;
  throw invalid(`a ${driver} network stands on a device of the machine`, "name it: -o parent=eth0");
}
