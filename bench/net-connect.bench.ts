// A hundred connections to a published port, one after the other: judged by the host's input chains first (ADR 0030), past them as
// docker does, and to a program of the host on the same way in, which is the floor.
import { attachEndpoint, createBridgeNetwork, Firewall, Rtnl, type InputPolicy } from "@lapstrake/core";
import { openSpace, type Space } from "../test/kernel/core-net-spaces.ts";
import type { Suite } from "./harness.ts";
import type { OpenSuite } from "./main.ts";

const COUNT = 100;
const NETWORK = { id: "bench", bridge: "lapb0", internal: false, masquerade: true };
const PORTS = [
  { owner: "bench", protocol: "tcp", hostIp: "0.0.0.0", hostPort: 8080, address: "10.66.0.2", port: 80 },
] as const;

function wire(client: Space, host: Space): void {
  using outside = new Rtnl({ netns: client.fd });
  using inside = new Rtnl({ netns: host.fd });
  inside.addVeth({ name: "up0" }, { name: "up1", netns: client.fd });
  for (const [rtnl, name, address] of [
    [inside, "up0", "192.168.77.1/24"],
    [outside, "up1", "192.168.77.2/24"],
  ] as const) {
    const link = rtnl.link(name);
    rtnl.addAddress(link, address);
    rtnl.setLink(link, { up: true });
  }
}

/** Opens the suite: a client, a host and a container, each a namespace of its own. */
export async function open(): Promise<OpenSuite> {
  const spaces = await Promise.all([openSpace(), openSpace(), openSpace()]);
  const [client, host, box] = spaces;
  wire(client, host);
  createBridgeNetwork({ id: "bench", bridge: "lapb0", gateways: ["10.66.0.1/24"] }, { netns: host.fd });
  const endpoint = {
    bridge: "lapb0",
    hostIfname: "vbench",
    ifname: "eth0",
    addresses: ["10.66.0.2/24"],
    gateways: ["10.66.0.1"],
  };
  attachEndpoint({ ...endpoint, netns: { fd: box.fd } }, { netns: host.fd });
  await Promise.all([box.listen("tcp", "0.0.0.0", 80, "box"), host.listen("tcp", "0.0.0.0", 9000, "host")]);
  const through = async (input: InputPolicy): Promise<number> => {
    using firewall = new Firewall({ netns: host.fd, input });
    firewall.reconcile({ networks: [NETWORK], ports: PORTS });
    return client.time("192.168.77.1", 8080, COUNT);
  };
  const suite: Suite = {
    title: `network: ${COUNT} connections to a published port`,
    reference: "past the input chains",
    rounds: 15,
    warmup: 2,
    variants: [
      { name: "by the input chains", run: () => through("respect") },
      { name: "past the input chains", run: () => through("bypass") },
      { name: "program of the host", run: () => client.time("192.168.77.1", 9000, COUNT) },
    ],
    thresholds: [{ subject: "by the input chains", reference: "past the input chains", atMost: 1.25 }],
  };
  return {
    suite,
    [Symbol.asyncDispose]: () => {
      for (const space of spaces) space[Symbol.dispose]();
      return Promise.resolve();
    },
  };
}
