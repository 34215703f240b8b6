// One endpoint attached to a bridge network (veth pair, addresses, routes, both ends up): by our netlink and by ip(8) processes.
// Detaching is not counted: deleting a device waits for the kernel, whoever asks.
import { execFileSync } from "node:child_process";
import { attachEndpoint, createBridgeNetwork, detachEndpoint } from "@lapstrake/core";
import { openSpace, type Space } from "../test/kernel/core-net-spaces.ts";
import { which } from "./commands.ts";
import type { Suite } from "./harness.ts";
import type { OpenSuite } from "./main.ts";

const SPEC = {
  bridge: "lapb0",
  hostIfname: "vbench",
  ifname: "eth0",
  addresses: ["10.66.0.2/24"],
  gateways: ["10.66.0.1"],
};

function timed(run: () => void, undo: () => unknown): Promise<number> {
  const started = performance.now();
  run();
  const elapsed = performance.now() - started;
  undo();
  return Promise.resolve(elapsed);
}

function ipCommands(host: Space, box: Space): void {
  const run = (space: Space, ...args: string[]): unknown =>
    execFileSync("nsenter", [`--net=/proc/${space.pid}/ns/net`, "ip", ...args]);
  run(host, "link", "add", "vbench", "type", "veth", "peer", "name", "eth0", "netns", String(box.pid));
  run(host, "link", "set", "vbench", "master", "lapb0");
  run(host, "link", "set", "vbench", "up");
  run(box, "addr", "add", "10.66.0.2/24", "dev", "eth0");
  run(box, "link", "set", "lo", "up");
  run(box, "link", "set", "eth0", "up");
  run(box, "route", "add", "default", "via", "10.66.0.1");
}

/** Opens the suite: two namespaces of its own. */
export async function open(): Promise<OpenSuite> {
  const [host, box] = await Promise.all([openSpace(), openSpace()]);
  const at = { netns: host.fd };
  createBridgeNetwork({ id: "bench", bridge: "lapb0", gateways: ["10.66.0.1/24"] }, at);
  const detach = (): boolean => detachEndpoint("vbench", at);
  const suite: Suite = {
    title: "network: attach an endpoint",
    reference: "ip(8), 7 processes",
    rounds: 30,
    warmup: 3,
    variants: [
      { name: "netlink", run: () => timed(() => attachEndpoint({ ...SPEC, netns: { fd: box.fd } }, at), detach) },
      {
        name: "ip(8), 7 processes",
        ...(which("ip") === undefined ? { missing: "ip is not installed" } : {}),
        run: () => timed(() => ipCommands(host, box), detach),
      },
    ],
    thresholds: [{ subject: "netlink", reference: "ip(8), 7 processes", atMost: 0.25 }],
  };
  return {
    suite,
    [Symbol.asyncDispose]: () => {
      for (const space of [host, box]) space[Symbol.dispose]();
      return Promise.resolve();
    },
  };
}
