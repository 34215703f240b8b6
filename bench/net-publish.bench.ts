// One port published and taken back: by our batches and by nft(8) processes that add and delete the same elements.
import { Firewall } from "@lapstrake/core";
import { openSpace } from "../test/kernel/core-net-spaces.ts";
import { which } from "./commands.ts";
import type { Suite } from "./harness.ts";
import type { OpenSuite } from "./main.ts";

const PORT = {
  owner: "bench",
  protocol: "tcp",
  hostIp: "0.0.0.0",
  hostPort: 8080,
  address: "10.66.0.2",
  port: 80,
} as const;
const ELEMENTS = [
  ["published-any", "{ tcp . 8080 : 10.66.0.2 . 80 }"],
  ["ports-any", "{ tcp . 8080 }"],
  ["self", "{ 10.66.0.2 . 10.66.0.2 }"],
] as const;

/** Opens the suite: a namespace of its own. */
export async function open(): Promise<OpenSuite> {
  const host = await openSpace();
  const firewall = new Firewall({ netns: host.fd });
  firewall.reconcile({ networks: [], ports: [] });
  const script = (verb: string): string =>
    ELEMENTS.map(([set, value]) => `${verb} element ip lapstrake ${set} ${value}`).join("; ");
  const suite: Suite = {
    title: "network: publish and unpublish a port",
    reference: "nft(8), 2 processes",
    rounds: 40,
    warmup: 3,
    variants: [
      {
        name: "netlink",
        run: () => {
          firewall.publish([PORT]);
          firewall.removeOwned("bench");
          return Promise.resolve();
        },
      },
      {
        name: "nft(8), 2 processes",
        ...(which("nft") === undefined ? { missing: "nft is not installed" } : {}),
        run: () => {
          host.run("nft", script("add"));
          host.run("nft", script("delete"));
          return Promise.resolve();
        },
      },
    ],
    thresholds: [{ subject: "netlink", reference: "nft(8), 2 processes", atMost: 0.25 }],
  };
  return {
    suite,
    [Symbol.asyncDispose]: () => {
      firewall[Symbol.dispose]();
      host[Symbol.dispose]();
      return Promise.resolve();
    },
  };
}
