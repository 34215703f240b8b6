// `lap network create`.
import { LapError } from "@lapstrake/base";
import { createNetwork, type NetworkRequest } from "@lapstrake/engine";
import { readFlags, type FlagReader } from "../args/parse.ts";
import type { Command } from "../args/types.ts";
import { engineFor } from "../open.ts";
import { out } from "../output/print.ts";

export const networkCreateCommand: Command = {
  name: "network create",
  usage: "[OPTIONS] NETWORK",
  summary: "Create a network",
  minArgs: 1,
  maxArgs: 1,
  interspersed: true,
  errorExitCode: 1,
  flags: [
    { long: "attachable", kind: "bool", help: "Enable manual container attachment" },
    {
      long: "aux-address",
      kind: "list",
      valueName: "map",
      help: "Addresses that are never handed out, NAME=ADDRESS (default map[])",
    },
    {
      long: "config-from",
      kind: "string",
      help: "The network from which to copy the configuration",
      harmless: [""],
      because: "configurations are for the nodes of a swarm",
    },
    {
      long: "config-only",
      kind: "bool",
      help: "Create a configuration only network",
      harmless: ["false"],
      because: "configurations are for the nodes of a swarm",
    },
    { long: "driver", short: "d", kind: "string", help: 'Driver to manage the Network (default "bridge")' },
    { long: "gateway", kind: "list", valueName: "strings", help: "IPv4 or IPv6 Gateway for the master subnet" },
    {
      long: "ingress",
      kind: "bool",
      help: "Create swarm routing-mesh network",
      harmless: ["false"],
      because: "there is no swarm",
    },
    { long: "internal", kind: "bool", help: "Restrict external access to the network" },
    { long: "ip-range", kind: "list", valueName: "strings", help: "Allocate container ip from a sub-range" },
    {
      long: "ipam-driver",
      kind: "string",
      help: 'IP Address Management Driver (default "default")',
      harmless: ["", "default"],
      because: "there are no plugins: addresses come from --subnet and --ip-range",
    },
    {
      long: "ipam-opt",
      kind: "list",
      valueName: "map",
      help: "Set IPAM driver specific options (default map[])",
      because: "there are no plugins: addresses come from --subnet and --ip-range",
    },
    {
      long: "ipv4",
      kind: "bool",
      help: "Enable or disable IPv4 address assignment (default true)",
      harmless: ["true"],
      because: "networks here always have IPv4",
    },
    { long: "ipv6", kind: "bool", help: "Enable or disable IPv6 address assignment" },
    { long: "label", kind: "list", help: "Set metadata on a network" },
    { long: "opt", short: "o", kind: "list", valueName: "map", help: "Set driver specific options (default map[])" },
    {
      long: "scope",
      kind: "string",
      help: "Control the network's scope",
      harmless: ["", "local"],
      because: "networks here are those of one machine",
    },
    {
      long: "subnet",
      kind: "list",
      valueName: "strings",
      help: "Subnet in CIDR format that represents a network segment",
    },
  ],
  async run({ flags, args, global }) {
    const request = networkRequest(args[0]!, readFlags(flags));
    out(`${createNetwork(engineFor(global), request).id}\n`);
    return 0;
  },
};

function networkRequest(name: string, read: FlagReader): NetworkRequest {
  const driver = read.text("driver") ?? "bridge";
  if (driver !== "bridge") {
    throw new LapError("notFound", "ERR_LAP_NETWORK_DRIVER", `could not find plugin ${driver} in v1 plugin registry`, {
      hint: "networks of one machine have the driver bridge",
    });
  }
  const labels = pairs(read.list("label"));
  return {
    name,
    internal: read.bool("internal"),
    attachable: read.bool("attachable"),
    ipv6: read.bool("ipv6"),
    subnets: subnets(read),
    labels,
    ...driverOptions(pairs(read.list("opt"))),
  };
}

function pairs(lines: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    lines.map((line) => {
      const at = line.indexOf("=");
      return at < 0 ? [line, ""] : [line.slice(0, at), line.slice(at + 1)];
    }),
  );
}

/** Gateways, ranges and reserved addresses go to the subnet of their family, in order. */
function subnets(read: FlagReader): NonNullable<NetworkRequest["subnets"]> {
  const isIpv6 = (text: string): boolean => text.includes(":");
  const given = read.list("subnet");
  const auxiliary = Object.entries(pairs(read.list("aux-address")));
  const asked = [...read.list("gateway"), ...read.list("ip-range"), ...auxiliary.map(([, address]) => address)];
  const lost = asked.find((text) => !given.some((subnet) => isIpv6(subnet) === isIpv6(text)));
  if (lost !== undefined) {
    const text = `no matching subnet for gateway, range or auxiliary address ${lost}`;
    throw new LapError("invalidArgument", "ERR_LAP_SUBNET", text, { hint: "add --subnet" });
  }
  return given.map((subnet) => {
    const gateway = read.list("gateway").find((each) => isIpv6(each) === isIpv6(subnet));
    const range = read.list("ip-range").find((each) => isIpv6(each) === isIpv6(subnet));
    const reserved = auxiliary.filter(([, address]) => isIpv6(address) === isIpv6(subnet));
    return {
      subnet,
      ...(gateway === undefined ? {} : { gateway }),
      ...(range === undefined ? {} : { range }),
      ...(reserved.length === 0 ? {} : { reserved: Object.fromEntries(reserved) }),
    };
  });
}

const PREFIX = "com.docker.network.";

/** Docker's options of the bridge driver that mean something here; another is refused. */
function driverOptions(options: Readonly<Record<string, string>>): Partial<NetworkRequest> {
  const fields = Object.entries(options).map(([name, value]): Partial<NetworkRequest> => {
    switch (name) {
      case `${PREFIX}bridge.name`:
        return { bridge: value };
      case `${PREFIX}driver.mtu`:
      case "mtu":
        return { mtu: Number(value) };
      case `${PREFIX}bridge.enable_icc`:
        return { icc: value === "true" };
      case `${PREFIX}bridge.enable_ip_masquerade`:
        return { masquerade: value === "true" };
      case `${PREFIX}bridge.host_binding_ipv4`:
        return { hostBinding: value === "0.0.0.0" ? "" : value };
      default:
        throw new LapError("invalidArgument", "ERR_LAP_NETWORK_OPTION", `unsupported driver option "${name}"`, {
          hint: `known are bridge.name, bridge.enable_icc, bridge.enable_ip_masquerade, bridge.host_binding_ipv4 and driver.mtu, each behind ${PREFIX}`,
        });
    }
  });
  return { ...(Object.assign({}, ...fields) as Partial<NetworkRequest>), options };
}
