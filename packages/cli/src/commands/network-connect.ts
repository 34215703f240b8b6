// `lap network connect` and `disconnect`.
import { connectNetwork, disconnectNetwork, parseLink } from "@lapstrake/engine";
import { readFlags } from "../args/parse.ts";
import type { Command } from "../args/types.ts";
import { engineFor } from "../open.ts";

const common = { minArgs: 2, maxArgs: 2, interspersed: true, errorExitCode: 1 } as const;

export const networkConnectCommand: Command = {
  ...common,
  name: "network connect",
  usage: "[OPTIONS] NETWORK CONTAINER",
  summary: "Connect a container to a network",
  flags: [
    { long: "alias", kind: "list", valueName: "strings", help: "Add network-scoped alias for the container" },
    {
      long: "driver-opt",
      kind: "list",
      valueName: "strings",
      help: "driver options for the network",
      because: "the bridge has no options for one container",
    },
    {
      long: "gw-priority",
      kind: "int",
      help: "Highest gw-priority provides the default gateway. Accepts positive and negative values.",
      harmless: ["0"],
      because: "the network that was named first has the way out",
    },
    { long: "ip", kind: "string", help: 'IPv4 address (e.g., "172.30.100.104")' },
    { long: "ip6", kind: "string", help: 'IPv6 address (e.g., "2001:db8::33")' },
    { long: "link", kind: "list", help: "Add link to another container", check: (value) => void parseLink(value) },
    {
      long: "link-local-ip",
      kind: "list",
      valueName: "strings",
      help: "Add a link-local address for the container",
      because: "no network driver here hands them out: use --ip or --ip6",
    },
  ],
  async run({ flags, args, global }) {
    const read = readFlags(flags);
    const [network, container] = args as [string, string];
    const [ip, ip6] = [read.text("ip"), read.text("ip6")];
    await connectNetwork(engineFor(global), network, container, {
      ...(read.has("alias") ? { aliases: read.list("alias") } : {}),
      ...(read.has("link") ? { links: read.list("link") } : {}),
      ...(ip === undefined ? {} : { ip }),
      ...(ip6 === undefined ? {} : { ip6 }),
    });
    return 0;
  },
};

export const networkDisconnectCommand: Command = {
  ...common,
  name: "network disconnect",
  usage: "[OPTIONS] NETWORK CONTAINER",
  summary: "Disconnect a container from a network",
  flags: [{ long: "force", short: "f", kind: "bool", help: "Force the container to disconnect from a network" }],
  async run({ flags, args, global }) {
    const [network, container] = args as [string, string];
    await disconnectNetwork(engineFor(global), network, container, { force: readFlags(flags).bool("force") });
    return 0;
  },
};
