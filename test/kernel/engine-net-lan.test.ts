// Networks that stand on a device of the machine: containers in the network beside it. What is the machine here is a namespace, and so is
// the other computer.
import { execPath } from "node:process";
import { raiseLoopback, Rtnl } from "@lapstrake/core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { needs } from "../support/facts.ts";
import { LapStore } from "../support/lap.ts";
import { soon } from "../support/until.ts";
import { openSpace, type Space } from "./core-net-spaces.ts";

const SERVER = `require("node:net").createServer((s) => s.end("box saw " + s.remoteAddress)).listen(80, "::")`;

needs("root", "overlayfs", "native", "command:unshare", "command:nsenter").describe("networks on a device", () => {
  let host: Space;
  let computer: Space;
  let store: LapStore;
  beforeAll(async () => {
    [host, computer] = await Promise.all([openSpace(), openSpace()]);
    for (const { fd } of [host, computer]) raiseLoopback({ fd });
    using here = new Rtnl({ netns: host.fd });
    using there = new Rtnl({ netns: computer.fd });
    here.addVeth({ name: "lan0" }, { name: "lan0", netns: computer.fd });
    for (const [rtnl, address] of [
      [here, "192.168.55.1/24"],
      [there, "192.168.55.254/24"],
    ] as const) {
      rtnl.addAddress(rtnl.link("lan0"), address);
      rtnl.setLink(rtnl.link("lan0"), { up: true });
    }
    store = new LapStore({ netns: `/proc/${host.pid}/ns/net` });
  });
  afterAll(async () => {
    await store.close();
    for (const space of [computer, host]) space[Symbol.dispose]();
  });

  it("macvlan: an address of the lan, reached from there, names, live connect and disconnect", async () => {
    const lan = ["--subnet", "192.168.55.0/24", "--gateway", "192.168.55.254", "--ip-range", "192.168.55.128/25"];
    store.ok("network", "create", "-d", "macvlan", "-o", "parent=lan0", ...lan, "lan");
    expect(store.ok("network", "ls", "-f", "driver=macvlan", "--format", "{{.Name}}")).toBe("lan");
    const box = store.run([
      "run",
      "-d",
      "--name",
      "box",
      "--network",
      "lan",
      "-p",
      "80:80",
      "host",
      execPath,
      "-e",
      SERVER,
    ]);
    expect(box).toMatchObject({ code: 0, stderr: expect.stringContaining("no port is published") as unknown });
    await soon(async () =>
      expect(await computer.ask("tcp", "192.168.55.128", 80)).toMatch(/^box saw .*192\.168\.55\.254$/),
    );
    const look = "getent hosts box; cat /proc/net/route";
    const text = store.ok("run", "--rm", "--network", "lan", "host", "sh", "-c", look);
    expect(text).toMatch(/^192\.168\.55\.128\s+box$/m);
    // By way of the lan's own router: 192.168.55.254.
    expect(text).toMatch(/^eth0\t00000000\tFE37A8C0\t/m);
    const devices = (): string => store.ok("exec", "box", "ls", "/sys/class/net").replaceAll("\n", " ");
    store.ok("network", "disconnect", "lan", "box");
    expect(devices()).toBe("lo");
    store.ok("network", "connect", "--ip", "192.168.55.200", "lan", "box");
    expect(devices()).toBe("eth0 lo");
    await soon(async () => expect(await computer.ask("tcp", "192.168.55.200", 80)).toMatch(/^box saw /));
    store.ok("rm", "-f", "box");
    store.ok("network", "rm", "lan");
    using here = new Rtnl({ netns: host.fd });
    await soon(() => expect(here.links().map(({ name }) => name)).toEqual(["lo", "lan0"]));
  });

  it.each([
    [["-d", "macvlan", "-o", "parent=lan9"], /parent device "lan9" does not exist/],
    [["--ipv4=false"], /IPv4 or IPv6 must be enabled/],
    [["--subnet", "10.1.0.0/24", "--subnet", "10.2.0.0/24"], /bridge driver doesn't support multiple subnets/],
  ])("create %j is refused with the reason", (flags, reason) => {
    expect(store.run(["network", "create", ...flags, "refused"])).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(reason) as unknown,
    });
  });

  it("IPv6 alone, an MTU, a name of devices, a gateway that is somebody else's", () => {
    const flags = ["--ipv4=false", "--ipv6", "-o", "mtu=1400", "-o", "com.docker.network.container_iface_prefix=net"];
    store.ok("network", "create", ...flags, "-o", "com.docker.network.bridge.name=brsix", "six");
    const script = "ls /sys/class/net; cat /sys/class/net/net0/mtu /proc/net/fib_trie | head -1; cat /etc/hosts";
    const text = store.ok("run", "--rm", "--network", "six", "host", "sh", "-c", script);
    expect(text).toMatch(/^lo\nnet0\n1400\n/);
    expect(text).toMatch(/^fd[0-9a-f:]+::1\thost\.docker\.internal/m);
    expect(store.ok("network", "ls", "-f", "name=six", "--format", "{{.IPv4}} {{.IPv6}}")).toBe("false true");
    store.ok(
      "network",
      "create",
      "-o",
      "com.docker.network.bridge.inhibit_ipv4=true",
      "--subnet",
      "10.77.9.0/24",
      "-o",
      "com.docker.network.bridge.name=brnone",
      "none4",
    );
    using here = new Rtnl({ netns: host.fd });
    const of = (name: string): string[] => here.addresses(here.link(name)).map(({ address }) => address);
    expect(of("brnone")).toEqual([]);
    expect(of("brsix")).toContainEqual(expect.stringMatching(/^fd.*::1\/64$/));
    store.ok("network", "rm", "six", "none4");
  });
});
