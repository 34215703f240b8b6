// `lap network create`.
import { createNetwork, driverRequest, networkDriver, type NetworkRequest } from "@lapstrake/engine";
import { checkLabel } from "../args/checks.ts";
import { readFlags, type FlagReader } from "../args/parse.ts";
import type { Command } from "../args/types.ts";
import { engineFor } from "../open.ts";
import { out } from "../output/print.ts";
import { consolidate } from "./network-subnets.ts";

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
    {
      long: "driver",
      short: "d",
      kind: "string",
      help: 'Driver to manage the Network (default "bridge")',
    },
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
    { long: "ipv4", kind: "bool", help: "Enable or disable IPv4 address assignment (default true)" },
    { long: "ipv6", kind: "bool", help: "Enable or disable IPv6 address assignment" },
    { long: "label", kind: "list", help: "Set metadata on a network", check: checkLabel },
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
  const driver = networkDriver(read.text("driver") ?? "bridge");
  const subnets = consolidate({
    subnets: read.list("subnet"),
    gateways: read.list("gateway"),
    ranges: read.list("ip-range"),
    auxiliary: pairs(read.list("aux-address")),
  });
  return {
    name,
    internal: read.bool("internal"),
    attachable: read.bool("attachable"),
    labels: pairs(read.list("label")),
    subnets,
    ...driverRequest(driver, pairs(read.list("opt"))),
    ...(read.has("ipv4") ? { ipv4: read.bool("ipv4") } : {}),
    ...(read.has("ipv6") ? { ipv6: read.bool("ipv6") } : {}),
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
