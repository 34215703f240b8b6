// What the networks of stores do to the machine and to each other, in a namespace that stands for the machine's.
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { execPath } from "node:process";
import { Firewall, ownedBridges, raiseLoopback, readSysctl, Rtnl, writeSysctl } from "@lapstrake/core";
import { afterEach, beforeEach, expect, it } from "vitest";
import { needs } from "../support/facts.ts";
import { LapStore } from "../support/lap.ts";
import { ended } from "../support/processes.ts";
import { until } from "../support/until.ts";
import { openSpace, type Space } from "./core-net-spaces.ts";

const SERVER = `require("node:net").createServer((s) => s.end("web saw " + s.remoteAddress)).listen(80, "::")`;
const FORWARD = ["ipv4", "ip_forward"];

needs("root", "overlayfs", "native", "command:unshare", "command:nsenter").describe("networks and the machine", () => {
  let host: Space;
  let one: LapStore;
  const open = (): LapStore => new LapStore({ netns: `/proc/${host.pid}/ns/net` });
  beforeEach(async () => {
    host = await openSpace();
    raiseLoopback({ fd: host.fd });
    writeSysctl(FORWARD, "0", host.fd);
    one = open();
  });
  afterEach(async () => {
    await one.close();
    host[Symbol.dispose]();
  });

  const subnet = (store: LapStore): string =>
    store.ok("network", "inspect", "-f", "{{(index .IPAM.Config 0).Subnet}}", "bridge");
  const devices = (): string[] => {
    using rtnl = new Rtnl({ netns: host.fd });
    return rtnl.links().map(({ name }) => name);
  };
  const serve = (store: LapStore, ...flags: string[]): string =>
    store.ok("run", "-d", ...flags, "host", execPath, "-e", SERVER);
  const answers = async (address: string, port: number): Promise<string> => {
    return until(`${address}:${port} answers`, async () => {
      const answer = await host.ask("tcp", address, port, 500);
      return answer.startsWith("web saw") ? answer : undefined;
    });
  };

  it("two stores have bridges and subnets of their own, and the last to leave tidies up", async () => {
    const two = open();
    const three = open();
    try {
      // Both are chosen while neither has a bridge: names and subnets are the same.
      expect(subnet(two)).toBe(subnet(one));
      expect(subnet(three)).toBe(subnet(one));
      const web = serve(one, "-p", "127.0.0.1:18301:80");
      serve(two, "-p", "127.0.0.1:18302:80");
      expect(subnet(two)).not.toBe(subnet(one));
      expect(await answers("127.0.0.1", 18_301)).toMatch(/^web saw/);
      expect(await answers("127.0.0.1", 18_302)).toMatch(/^web saw/);
      expect(one.run(["run", "--rm", "-p", "18302:80", "host", "true"]).stderr).toMatch(/port is already allocated/);
      two[Symbol.dispose]();
      expect(three.ok("network", "prune", "-f")).toBe("");
      expect(readSysctl(FORWARD, host.fd)).toBe("1");
      expect(await answers("127.0.0.1", 18_301)).toMatch(/^web saw/);
      one.ok("rm", "-f", web);
      one.ok("network", "prune", "-f");
      await until("only loopback is left", () => devices().length === 1);
      expect(readSysctl(FORWARD, host.fd)).toBe("0");
    } finally {
      two[Symbol.dispose]();
      three[Symbol.dispose]();
    }
  });

  it("a store that was deleted leaves nothing in the way of the next", () => {
    const gone = open();
    gone.ok("run", "--rm", "host", "true");
    gone.ok("network", "create", "--subnet", "10.88.0.0/24", "n");
    expect(ownedBridges({ netns: host.fd })).toHaveLength(2);
    rmSync(gone.root, { recursive: true });
    one.ok("run", "--rm", "host", "true");
    expect(ownedBridges({ netns: host.fd })).toMatchObject([{ bridge: "lap0", home: one.root }]);
    gone[Symbol.dispose]();
  });

  it("a bridge that was deleted with its store leaves no claim in the firewall", () => {
    const gone = open();
    gone.ok("run", "--rm", "host", "true");
    rmSync(gone.root, { recursive: true });
    {
      using rtnl = new Rtnl({ netns: host.fd });
      rtnl.deleteLink("lap0");
    }
    expect(one.run(["run", "--rm", "host", "true"])).toMatchObject({ code: 0, stderr: "" });
    expect(ownedBridges({ netns: host.fd })).toMatchObject([{ bridge: "lap0", home: one.root }]);
    gone[Symbol.dispose]();
  });

  it("publishes at [::1] and at the address that is configured, and knows the machine by name", async () => {
    one.ok("network", "create", "--ipv6", "six");
    serve(one, "--name", "web", "--network", "six", "-p", "[::1]:18303:80", "-p", "18304:80");
    expect(await answers("::1", 18_303)).toMatch(/^web saw/);
    expect(await answers("127.0.0.1", 18_304)).toMatch(/^web saw/);
    const gateway = one.ok("network", "inspect", "-f", "{{(index .IPAM.Config 0).Gateway}}", "six");
    const lookup = `require("node:dns").promises.resolve4(process.argv[1]).then(String).then(console.log)`;
    for (const name of ["host.docker.internal", "host.lap.internal"])
      expect(one.ok("exec", "web", execPath, "-e", lookup, name)).toBe(gateway);
    const env = { LAP_PUBLISH_ADDRESS: "127.0.0.1" };
    expect(one.run(["run", "-d", "--name", "here", "-p", "18305:80", "host", "sleep", "999"], { env }).code).toBe(0);
    expect(one.ok("port", "here")).toBe("80/tcp -> 127.0.0.1:18305");
    const refused = one.run(["run", "--rm", "-p", "80", "host", "true"], { env: { LAP_PUBLISH_ADDRESS: "nowhere" } });
    expect(refused.stderr).toMatch(/invalid LAP_PUBLISH_ADDRESS "nowhere"/);
  });

  it("ports go with the way out", async () => {
    one.ok("network", "create", "first");
    one.ok("network", "create", "second");
    serve(one, "--name", "web", "--network", "first", "-p", "127.0.0.1:18306:80");
    one.ok("network", "connect", "second", "web");
    one.ok("network", "disconnect", "first", "web");
    expect(await answers("127.0.0.1", 18_306)).toMatch(/^web saw/);
    one.ok("network", "disconnect", "second", "web");
    expect(one.ok("port", "web")).toBe("");
    one.ok("network", "connect", "first", "web");
    expect(await answers("127.0.0.1", 18_306)).toMatch(/^web saw/);
    // As if that had been killed before it opened the port.
    {
      using firewall = new Firewall({ netns: host.fd });
      expect(firewall.removeOwned(firewall.ports()[0]!.owner)).toBe(true);
    }
    one.ok("network", "connect", "first", "web");
    expect(await answers("127.0.0.1", 18_306)).toMatch(/^web saw/);
    expect(one.run(["network", "connect", "first", "web"]).stderr).toMatch(/already exists in network first/);
  });

  it("ports of a container that runs are published and taken back", async () => {
    const id = serve(one, "-p", "127.0.0.1:18307:80");
    one.ok("update", "-p", "127.0.0.1:18308:80", id);
    expect(await answers("127.0.0.1", 18_308)).toMatch(/^web saw/);
    expect(await answers("127.0.0.1", 18_307)).toMatch(/^web saw/);
    expect(one.run(["update", "--publish-rm", "81", id]).stderr).toMatch(/No public port '81\/tcp' published/);
    one.ok("update", "--publish-rm", "80/tcp", id);
    expect(one.ok("port", id)).toBe("");
    expect(await host.ask("tcp", "127.0.0.1", 18_308, 500)).not.toMatch(/^web saw/);
    one.ok("restart", "-t", "0", id);
    expect(one.ok("port", id)).toBe("");
  });

  it("an end that nobody cleaned up after is noticed by whoever looks", async () => {
    one.ok("run", "--name", "ended", "host", "true");
    const mark = join(one.root, "containers", one.ok("inspect", "-f", "{{.Id}}", "ended"), "reaped");
    // As when the reaper was killed.
    rmSync(mark);
    await until("cleaned up", () => one.ok("ps", "-aq") !== "" && existsSync(mark));
  });

  it("twelve at once get addresses and ports of their own", async () => {
    one.ok("network", "create", "crowd");
    const run = (n: number): Promise<number | null> => {
      const flags = ["--name", `c${n}`, "--network", "crowd", "--network-alias", "all", "-p", "80"];
      const child = one.spawn(["run", "-d", ...flags, "host", "sleep", "999"]);
      return ended(child);
    };
    const numbers = Array.from({ length: 12 }, (_, n) => n);
    expect(await Promise.all(numbers.map(run))).toEqual(numbers.map(() => 0));
    const ports = numbers.map((n) => one.ok("port", `c${n}`));
    expect(new Set(ports).size).toBe(12);
    const lookup = `require("node:dns").promises.resolve4(process.argv[1]).then((all) => console.log(all.sort().join(" ")))`;
    const all = one.ok("exec", "c0", execPath, "-e", lookup, "all").split(" ");
    expect(new Set(all).size).toBe(12);
    expect(all).toContain(one.ok("exec", "c3", execPath, "-e", lookup, "c7"));
  });
});
