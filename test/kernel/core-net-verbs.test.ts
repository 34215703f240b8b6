// What the verbs of networking leave in the kernel, read back by our own lists and by ip(8) and nft(8) where they are installed.
import { fork } from "node:child_process";
import { mkdtempSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  attachEndpoint,
  createBridgeNetwork,
  detachEndpoint,
  enableForwarding,
  Firewall,
  readSysctl,
} from "@lapstrake/core";
import {
  createNetns,
  forgetConnections,
  networkRuleFacts,
  removeNetns,
  removeBridgeNetwork,
  reservePort,
  Rtnl,
  writeSysctl,
  type PublishedPort,
} from "@lapstrake/core";
import { afterEach, beforeEach, expect, test } from "vitest";
import { hasFact, needs } from "../support/facts.ts";
import { soon } from "../support/until.ts";
import { openSpace, type Space } from "./core-net-spaces.ts";

const NETWORK = {
  id: "n1",
  bridge: "lapv0",
  gateways: ["10.66.0.1/24", "fd66::1/64"],
  mtu: 1400,
  mac: "02:00:00:00:66:01",
};
const FIREWALLED = { id: "n1", bridge: "lapv0", internal: false, masquerade: true };
const ENDPOINT = {
  bridge: "lapv0",
  hostIfname: "vtest",
  ifname: "eth0",
  addresses: ["10.66.0.2/24", "fd66::2/64"],
  gateways: ["10.66.0.1", "fd66::1"],
  routes: [{ destination: "10.99.0.0/16", gateway: "10.66.0.9" }],
};

let host: Space, box: Space;

function ports(count: number, owner = "c1", first = 1): PublishedPort[] {
  return Array.from({ length: count }, (_, i) => {
    return { owner, protocol: "tcp", hostIp: "0.0.0.0", hostPort: first + i, address: "10.66.0.2", port: first + i };
  });
}

interface IpLink {
  readonly ifname: string;
  readonly mtu: number;
  readonly address: string;
  readonly master?: string;
  readonly ifalias?: string;
  readonly flags: readonly string[];
  readonly linkinfo?: { readonly info_kind?: string; readonly info_slave_data?: { readonly hairpin?: boolean } };
  readonly addr_info?: readonly { readonly local: string; readonly prefixlen: number; readonly scope: string }[];
}

function ip<T>(space: Space, ...args: readonly string[]): T[] {
  return JSON.parse(space.run("ip", "-j", "-d", ...args)) as T[];
}

needs("linux", "root", "command:unshare", "command:nsenter").describe("network verbs", () => {
  beforeEach(async () => {
    [host, box] = await Promise.all([openSpace(), openSpace()]);
  });
  afterEach(() => {
    for (const space of [host, box]) space?.[Symbol.dispose]();
  });
  const at = (): { netns: number } => ({ netns: host.fd });
  const attach = (): ReturnType<typeof attachEndpoint> =>
    attachEndpoint({ ...ENDPOINT, netns: { pid: box.pid } }, at());

  test("a network and an endpoint are there, done again they change nothing, and go away whole", () => {
    expect(createBridgeNetwork(NETWORK, at())).toMatchObject({
      kind: "bridge",
      up: true,
      mtu: 1400,
      alias: "lapstrake:n1",
    });
    expect(attach()).toEqual({ hostIfname: "vtest", ifname: "eth0", mac: "02:42:0a:42:00:02" });
    expect(createBridgeNetwork(NETWORK, at())).toMatchObject({ mac: "02:00:00:00:66:01", mtu: 1400 });
    using inside = new Rtnl({ netns: box.fd });
    const eth0 = inside.link("eth0");
    expect(eth0).toMatchObject({ kind: "veth", up: true, mtu: 1400 });
    expect(inside.addresses(eth0).map(({ address }) => address)).toEqual(expect.arrayContaining(ENDPOINT.addresses));
    const defaults = inside.routes().filter(({ destination }) => destination.endsWith("/0"));
    expect(defaults.map(({ gateway }) => gateway)).toEqual(ENDPOINT.gateways);
    expect(detachEndpoint("vtest", at())).toBe(true);
    expect(detachEndpoint("vtest", at())).toBe(false);
    expect(inside.findLink("eth0")).toBeUndefined();
    expect(removeBridgeNetwork(NETWORK, at())).toBe(true);
    expect(removeBridgeNetwork(NETWORK, at())).toBe(false);
    using outside = new Rtnl(at());
    expect(outside.links().map(({ name }) => name)).toEqual(["lo"]);
  });

  test("a new namespace has one device and no routes, and needs no device to be up for that", () => {
    using untouched = new Rtnl(at());
    expect(untouched.routes()).toEqual([]);
    expect(untouched.links()).toMatchObject([{ index: 1, name: "lo", up: false, loopback: true, mac: "" }]);
    expect(untouched.findLink("nosuch")).toBeUndefined();
    expect(() => untouched.link("nosuch")).toThrow(expect.objectContaining({ code: "ENODEV" }));
  });

  test("an attachment that fails half-way leaves nothing", () => {
    createBridgeNetwork(NETWORK, at());
    const bad = { ...ENDPOINT, netns: { fd: box.fd }, routes: [{ destination: "10.99.0.0/16", gateway: "10.1.1.1" }] };
    expect(() => attachEndpoint(bad, at())).toThrow(
      expect.objectContaining({
        code: "ENETUNREACH",
        message: expect.stringContaining("Nexthop has invalid gateway") as unknown,
      }),
    );
    using outside = new Rtnl(at());
    expect(outside.findLink("vtest")).toBeUndefined();
    attach();
    expect(() => attach()).toThrow(expect.objectContaining({ code: "EEXIST" }));
    expect(outside.findLink("vtest")).toBeDefined();
  });

  test("a device that somebody else made is not ours to use or remove", () => {
    using outside = new Rtnl(at());
    outside.addBridge("lapv0");
    const taken = expect.objectContaining({ code: "ERR_LAP_BRIDGE_TAKEN" }) as Error;
    expect(() => createBridgeNetwork(NETWORK, at())).toThrow(taken);
    expect(() => removeBridgeNetwork(NETWORK, at())).toThrow(taken);
    expect(() => createBridgeNetwork({ ...NETWORK, bridge: "far-too-long-a-name" }, at())).toThrow(
      "invalid interface name",
    );
  });

  test("only our bridge's sysctls and forwarding change, and what changed is told", () => {
    const forwarding = ["ipv4", "ip_forward"];
    // A new namespace begins with what the machine has.
    const machine = readSysctl(forwarding);
    writeSysctl(forwarding, "0", host.fd);
    writeSysctl(["ipv6", "conf", "all", "forwarding"], "0", host.fd);
    expect(readSysctl(forwarding)).toBe(machine);
    createBridgeNetwork({ ...NETWORK, internal: true }, at());
    expect(readSysctl(forwarding, host.fd)).toBe("0");
    expect(readSysctl(["ipv4", "conf", "lapv0", "route_localnet"], host.fd)).toBe("0");
    expect(enableForwarding(NETWORK.gateways, host.fd)).toEqual([
      { sysctl: "net.ipv4.ip_forward", before: "0" },
      { sysctl: "net.ipv6.conf.all.forwarding", before: "0" },
    ]);
    expect(enableForwarding(NETWORK.gateways, host.fd)).toEqual([]);
    expect(readSysctl(["ipv4", "conf", "all", "route_localnet"], host.fd)).toBe("0");
    expect(() => writeSysctl(["ipv4", "..", "x"], "1", host.fd)).toThrow(
      expect.objectContaining({ code: "ERR_LAP_SYSCTL" }),
    );
  });

  test("a state reconciles to itself, mends what was broken and adopts a table that was lost", () => {
    const state = { networks: [FIREWALLED], ports: ports(3) };
    using firewall = new Firewall(at());
    expect(firewall.reconcile(state)).toBeGreaterThan(0);
    expect(firewall.reconcile(state)).toBe(0);
    expect(firewall.ports()).toEqual(expect.arrayContaining(state.ports));
    expect(firewall.reconcile({ ...state, ports: ports(3).slice(1) })).toBe(2);
    const moved = ports(3).map((port) => ({ ...port, owner: "c2" }));
    firewall.reconcile({ ...state, ports: moved });
    expect(firewall.ports().map(({ owner }) => owner)).toEqual(["c2", "c2", "c2"]);
    expect(firewall.remove()).toBe(true);
    expect(firewall.remove()).toBe(false);
    firewall.publish(ports(1));
    expect(firewall.ports()).toEqual(ports(1));
    expect(firewall.obstacles()).toEqual([]);
  });

  test("a thousand ports go in one batch and out by their owner; a clash takes none", () => {
    using firewall = new Firewall(at());
    firewall.publish(ports(1000, "many", 2000));
    expect(firewall.ports()).toHaveLength(1000);
    const clash = [...ports(10, "late", 1995)];
    expect(() => firewall.publish(clash)).toThrow(expect.objectContaining({ code: "ERR_LAP_PORT_TAKEN" }));
    expect(firewall.ports()).toHaveLength(1000);
    expect(firewall.removeOwned("many")).toBe(true);
    expect(firewall.ports()).toEqual([]);
  });

  test("processes that publish at once all succeed, or one of them where they collide", async () => {
    new Firewall(at())[Symbol.dispose]();
    const script = new URL("./core-net-publisher.ts", import.meta.url);
    const publishers = [1, 2, 3, 4].map((n) =>
      fork(script, [String(host.pid), `own${n}`], { execArgv: ["--conditions=@lapstrake/source"] }),
    );
    const results = await Promise.all(
      publishers.map((child) => {
        return new Promise<number>((resolve) =>
          child.on("message", (lost) => resolve(Number(lost))).on("exit", () => resolve(NaN)),
        );
      }),
    );
    using firewall = new Firewall(at());
    // 10 ports of each one's own; of 10 that all want, each has one holder.
    expect(firewall.ports()).toHaveLength(4 * 10 + 10);
    expect(results.reduce((sum, lost) => sum + lost, 0)).toBe(3 * 10);
  });

  test("a reserved port is held against programs of the host, and they against us", async () => {
    using inside = new Rtnl(at());
    inside.loopbackUp();
    const port = ports(1, "c1", 8080)[0]!;
    for (const protocol of ["tcp", "udp"] as const) {
      {
        using held = reservePort({ ...port, protocol }, host.fd);
        expect(held?.fd).toBeGreaterThan(2);
        expect(await host.listen(protocol, "0.0.0.0", 8080, "late")).toContain("EADDRINUSE");
      }
      expect(await host.listen(protocol, "0.0.0.0", 8080, "early")).toBe("listening");
      expect(() => reservePort({ ...port, protocol }, host.fd)).toThrow(
        expect.objectContaining({
          code: "ERR_LAP_PORT_IN_USE",
          message: `failed to bind host port 0.0.0.0:8080/${protocol}: address already in use`,
        }),
      );
      using six = reservePort({ ...port, protocol, hostIp: "::" }, host.fd);
      expect(six).toBeDefined();
    }
    expect(() => reservePort({ ...port, hostIp: "10.1.2.3" }, host.fd)).toThrow(
      expect.objectContaining({ code: "EADDRNOTAVAIL" }),
    );
  });

  test("doctor tries our rules where nobody is, and tells what stands in the way", async () => {
    const own = readlinkSync("/proc/self/ns/net");
    using outside = new Rtnl();
    const ours = (): string[] => outside.links().flatMap(({ name }) => (name.startsWith("lap-") ? [name] : []));
    const before = ours();
    const facts = new Map(networkRuleFacts().map((fact) => [fact.id, fact]));
    expect(readlinkSync("/proc/thread-self/ns/net")).toBe(own);
    expect(facts.get("net.nftables")).toMatchObject({ value: true, verdict: "ok" });
    expect(facts.get("net.input_rules")).toMatchObject({ value: true, verdict: "ok" });
    expect([...facts.keys()]).toEqual(expect.arrayContaining(["net.forward_obstacles"]));
    for (const fact of facts.values()) if (fact.verdict !== "ok") expect(fact.remedy).toBeDefined();
    await soon(() => expect(ours().filter((name) => !before.includes(name))).toEqual([]));
  });

  test("a namespace that a file holds outlives its maker, and is let go whole", async () => {
    const folder = mkdtempSync(join(tmpdir(), "lap-netns-"));
    const path = join(folder, "ns");
    try {
      const own = readlinkSync("/proc/self/ns/net");
      createNetns(path);
      expect(readlinkSync("/proc/thread-self/ns/net")).toBe(own);
      expect(() => createNetns(path)).toThrow(expect.objectContaining({ code: "EEXIST" }));
      createBridgeNetwork(NETWORK, at());
      attachEndpoint({ ...ENDPOINT, netns: { path } }, at());
      using outside = new Rtnl(at());
      expect(outside.findLink("vtest")).toBeDefined();
      expect(removeNetns(path)).toBe(true);
      expect(removeNetns(path)).toBe(false);
      // The kernel takes a namespace apart in its own time.
      await soon(() => expect(outside.findLink("vtest")).toBeUndefined());
      expect(readFileSync("/proc/self/mountinfo", "utf8")).not.toContain(path);
    } finally {
      removeNetns(path);
      rmSync(folder, { recursive: true });
    }
  });

  test("connections of an address are forgotten, others not", async () => {
    createBridgeNetwork(NETWORK, at());
    attach();
    using firewall = new Firewall(at());
    firewall.addNetwork(FIREWALLED);
    await box.listen("udp", "0.0.0.0", 53, "box");
    for (let i = 0; i < 3; i++) expect(await host.ask("udp", "10.66.0.2", 53)).toMatch(/^box saw /);
    expect(forgetConnections("10.66.0.77", at())).toBe(0);
    expect(forgetConnections("10.66.0.2", at())).toBe(3);
    expect(forgetConnections("10.66.0.2", at())).toBe(0);
  });

  test.skipIf(!hasFact("command:ip"))(
    `ip(8) reads what we meant${hasFact("command:ip") ? "" : " [needs command:ip]"}`,
    () => {
      createBridgeNetwork(NETWORK, at());
      attach();
      const byName = new Map(ip<IpLink>(host, "addr").map((link) => [link.ifname, link]));
      expect(byName.get("lapv0")).toMatchObject({ mtu: 1400, address: "02:00:00:00:66:01", ifalias: "lapstrake:n1" });
      expect(byName.get("lapv0")?.addr_info?.map((a) => `${a.local}/${a.prefixlen}`)).toEqual(
        expect.arrayContaining(NETWORK.gateways),
      );
      expect(byName.get("vtest")).toMatchObject({
        master: "lapv0",
        linkinfo: { info_kind: "veth", info_slave_data: { hairpin: true } },
      });
      expect(byName.get("vtest")?.addr_info).toEqual([]);
      const eth0 = ip<IpLink>(box, "addr", "show", "eth0")[0]!;
      expect(eth0.flags).toContain("LOWER_UP");
      const routes = ip<{ dst: string; gateway?: string; dev: string }>(box, "route");
      expect(routes).toEqual(
        expect.arrayContaining([
          expect.objectContaining({ dst: "default", gateway: "10.66.0.1", dev: "eth0" }),
          expect.objectContaining({ dst: "10.99.0.0/16", gateway: "10.66.0.9", dev: "eth0" }),
        ]),
      );
    },
  );

  test.skipIf(!hasFact("command:nft"))(
    `nft(8) prints what we meant, and loads it again${hasFact("command:nft") ? "" : " [needs command:nft]"}`,
    () => {
      using firewall = new Firewall(at());
      firewall.reconcile({
        networks: [FIREWALLED],
        ports: [...ports(1), { ...ports(1)[0]!, hostIp: "127.0.0.1", hostPort: 9 }],
      });
      const printed = host.run("nft", "list", "ruleset");
      for (const line of [
        'elements = { "lapv0" comment "n1" }',
        'elements = { 127.0.0.1 . tcp . 9 comment "c1" : 10.66.0.2 . 1 }',
        "dnat ip to ip daddr . meta l4proto . th dport map @published",
        'iifname @outbound oifname != @bridges masquerade comment "behind the host\'s address"',
        'ip daddr 127.0.0.0/8 iifname != "lo" counter packets 0 bytes 0 drop',
        "type filter hook input priority 2147483645; policy accept;",
      ]) {
        expect(printed).toContain(line);
      }
      expect(printed).not.toContain("invalid type");
      host.run("sh", "-c", 'rules=$(nft list ruleset); nft flush ruleset; echo "$rules" | nft -f -');
      expect(firewall.ports()).toHaveLength(2);
      expect(firewall.reconcile({ networks: [FIREWALLED], ports: firewall.ports() })).toBe(0);
    },
  );
});
