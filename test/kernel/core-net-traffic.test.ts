// Traffic between namespaces of the test's own: a client outside, a "host" that runs our firewall, containers behind its bridges.
//   client 192.168.77.2 ── 192.168.77.1 host ── lapt0 10.77.0.1 ── web 10.77.0.2, neighbour 10.77.0.3
//                                            └─ lapt1 10.78.0.1 ── other 10.78.0.2
import {
  attachEndpoint,
  cmp,
  counter,
  createBridgeNetwork,
  ct,
  deleteTable,
  Firewall,
  forgetUdpPort,
  mask,
  meta,
  needsProxy,
  newChain,
  newRule,
  newTable,
  Nft,
  payload,
  Rtnl,
  verdict,
  type Expr,
  type Family,
  type Request,
} from "@lapstrake/core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { needs } from "../support/facts.ts";
import { openSpace, type Space } from "./core-net-spaces.ts";

const NET0 = { id: "net0", bridge: "lapt0", internal: false, masquerade: true };
const NET1 = { id: "net1", bridge: "lapt1", internal: false, masquerade: true };

let client: Space, host: Space, web: Space, neighbour: Space, other: Space;
let firewall: Firewall;

function wire(): void {
  using outside = new Rtnl({ netns: client.fd });
  using inside = new Rtnl({ netns: host.fd });
  inside.addVeth({ name: "up0" }, { name: "up1", netns: client.fd });
  for (const [rtnl, name, suffix] of [
    [inside, "up0", "1"],
    [outside, "up1", "2"],
  ] as const) {
    const link = rtnl.link(name);
    rtnl.addAddress(link, `192.168.77.${suffix}/24`);
    rtnl.addAddress(link, `fd77::${suffix}/64`);
    rtnl.setLink(link, { up: true });
    rtnl.loopbackUp();
  }
}

function attach(space: Space, bridge: string, name: string, net: string, host4: number): void {
  const addresses = [`10.${net}.0.${host4}/24`, `fd00:${net}::${host4}/64`];
  const gateways = [`10.${net}.0.1`, `fd00:${net}::1`];
  attachEndpoint(
    { netns: { fd: space.fd }, bridge, hostIfname: name, ifname: "eth0", addresses, gateways },
    { netns: host.fd },
  );
}

async function open(): Promise<void> {
  [client, host, web, neighbour, other] = await Promise.all([
    openSpace(),
    openSpace(),
    openSpace(),
    openSpace(),
    openSpace(),
  ]);
  wire();
  for (const [net, octet] of [
    [NET0, "77"],
    [NET1, "78"],
  ] as const) {
    const gateways = [`10.${octet}.0.1/24`, `fd00:${octet}::1/64`];
    createBridgeNetwork({ id: net.id, bridge: net.bridge, gateways }, { netns: host.fd });
  }
  attach(web, "lapt0", "vweb", "77", 2);
  attach(neighbour, "lapt0", "vneighbour", "77", 3);
  attach(other, "lapt1", "vother", "78", 2);
  // The test's own wire to the client: IPv6 on a new device pair takes a moment.
  for (let tries = 0; tries < 20 && (await client.ask("tcp", "fd77::1", 1, 250)) === "timeout"; tries++);
  firewall = new Firewall({ netns: host.fd });
  firewall.reconcile({ networks: [NET0, NET1], ports: [] });
  await Promise.all([
    web.listen("tcp", "::", 80, "web"),
    web.listen("udp", "::", 53, "web"),
    other.listen("tcp", "::", 80, "other"),
    client.listen("tcp", "::", 80, "client"),
    host.listen("tcp", "0.0.0.0", 9000, "host"),
  ]);
}

const FACTS = ["linux", "root", "command:unshare", "command:nsenter"] as const;

function close(): void {
  firewall?.[Symbol.dispose]();
  for (const space of [client, host, web, neighbour, other]) space?.[Symbol.dispose]();
}

needs(...FACTS).describe("traffic of bridge networks", () => {
  beforeAll(open);
  afterAll(close);
  const publish = (
    hostIp: string,
    address: string,
    hostPort = 8080,
    port = 80,
    protocol: "tcp" | "udp" = "tcp",
  ): void => firewall.publish([{ owner: "web", protocol, hostIp, hostPort, address, port }]);

  test("a container reaches the outside as the host, in both families", async () => {
    expect(await web.ask("tcp", "192.168.77.2", 80)).toBe("client saw ::ffff:192.168.77.1");
    expect(await web.ask("tcp", "fd77::2", 80)).toBe("client saw fd77::1");
  });

  test("containers of one network see each other, of two do not", async () => {
    expect(await neighbour.ask("tcp", "10.77.0.2", 80)).toBe("web saw ::ffff:10.77.0.3");
    expect(await neighbour.ask("tcp", "fd00:77::2", 80)).toBe("web saw fd00:77::3");
    expect(await neighbour.ask("tcp", "10.78.0.2", 80, 300)).toBe("timeout");
    expect(await neighbour.ask("tcp", "fd00:78::2", 80, 300)).toBe("timeout");
  });

  test("the host reaches a container; the outside does not, even with a route to it", async () => {
    expect(await host.ask("tcp", "10.77.0.2", 80)).toBe("web saw ::ffff:10.77.0.1");
    using outside = new Rtnl({ netns: client.fd });
    outside.addRoute({ destination: "10.77.0.0/24", gateway: "192.168.77.1" });
    expect(await client.ask("tcp", "10.77.0.2", 80, 300)).toBe("timeout");
  });

  test("a published port is reached from outside with the client's address kept", async () => {
    expect(await client.ask("tcp", "192.168.77.1", 8080)).toBe("ECONNREFUSED");
    publish("0.0.0.0", "10.77.0.2");
    publish("::", "fd00:77::2");
    publish("0.0.0.0", "10.77.0.2", 5353, 53, "udp");
    expect(await client.ask("tcp", "192.168.77.1", 8080)).toBe("web saw ::ffff:192.168.77.2");
    expect(await client.ask("tcp", "fd77::1", 8080)).toBe("web saw fd77::2");
    expect(await client.ask("udp", "192.168.77.1", 5353)).toBe("web saw ::ffff:192.168.77.2");
  });

  test("a connection to ::1 is left to a proxy: the kernel could not bring the answer back", async () => {
    using inside = new Rtnl({ netns: host.fd });
    inside.loopbackUp();
    expect(await host.ask("tcp", "::1", 8080)).toBe("ECONNREFUSED");
    expect(
      firewall
        .ports()
        .filter(needsProxy)
        .map(({ hostIp }) => hostIp),
    ).toEqual(["::"]);
  });

  test("a published port is reached from the host, on loopback, from neighbours, itself and other networks", async () => {
    expect(await host.ask("tcp", "192.168.77.1", 8080)).toMatch(/^web saw /);
    expect(await host.ask("tcp", "127.0.0.1", 8080)).toBe("web saw ::ffff:10.77.0.1");
    expect(await neighbour.ask("tcp", "192.168.77.1", 8080)).toMatch(/^web saw /);
    expect(await web.ask("tcp", "192.168.77.1", 8080)).toMatch(/^web saw /);
    expect(await other.ask("tcp", "192.168.77.1", 8080)).toMatch(/^web saw /);
  });

  test("a port published on loopback stays on loopback (CVE-2020-8558)", async () => {
    publish("127.0.0.1", "10.77.0.2", 8081);
    expect(await host.ask("tcp", "127.0.0.1", 8081)).toMatch(/^web saw /);
    expect(await client.ask("tcp", "192.168.77.1", 8081)).toBe("ECONNREFUSED");
    using outside = new Rtnl({ netns: client.fd });
    client.run("sh", "-c", "echo 1 > /proc/sys/net/ipv4/conf/all/route_localnet; ip addr del 127.0.0.1/8 dev lo");
    outside.addRoute({ destination: "127.0.0.0/8", gateway: "192.168.77.1" });
    host.run("sh", "-c", "echo 1 > /proc/sys/net/ipv4/conf/up0/route_localnet");
    expect(await client.ask("tcp", "127.0.0.1", 8081, 300)).toBe("timeout");
    expect(await client.ask("tcp", "127.0.0.1", 9000, 300)).toBe("timeout");
  });

  test("a first datagram arrives whole, in fragments or too large for the bridge", async () => {
    publish("0.0.0.0", "10.77.0.2", 5355, 53, "udp");
    publish("::", "fd00:77::2", 5355, 53, "udp");
    expect(await client.askUdp("192.168.77.1", 5355, 9000)).toBe("web saw ::ffff:192.168.77.2 with 9000 bytes");
    expect(await client.askUdp("fd77::1", 5355, 9000)).toBe("web saw fd77::2 with 9000 bytes");
    client.run("sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_no_pmtu_disc");
    using inside = new Rtnl({ netns: host.fd });
    inside.setLink(inside.link("lapt0"), { mtu: 1280 });
    expect(await client.askUdp("192.168.77.1", 5355, 1400)).toBe("web saw ::ffff:192.168.77.2 with 1400 bytes");
    inside.setLink(inside.link("lapt0"), { mtu: 1500 });
  });

  test("a UDP client that asked too early is answered once the port is published", async () => {
    for (let i = 0; i < 2; i++)
      expect(await client.ask("udp", "192.168.77.1", 5454, 200, 4444)).not.toMatch(/^web saw /);
    publish("0.0.0.0", "10.77.0.2", 5454, 53, "udp");
    expect(forgetUdpPort("0.0.0.0", 5454, { netns: host.fd })).toBe(1);
    expect(await client.ask("udp", "192.168.77.1", 5454, 20_000, 4444)).toBe("web saw ::ffff:192.168.77.2");
  });

  test("a port of the host belongs to one owner, and to nobody after removal", async () => {
    const again = {
      owner: "b",
      protocol: "tcp",
      hostIp: "0.0.0.0",
      hostPort: 8080,
      address: "10.77.0.3",
      port: 80,
    } as const;
    expect(() => firewall.publish([{ ...again, hostPort: 8090 }, again])).toThrow(
      expect.objectContaining({
        code: "ERR_LAP_PORT_TAKEN",
        message: "Bind for 0.0.0.0:8080 failed: port is already allocated",
      }),
    );
    expect(firewall.ports().map(({ owner }) => owner)).not.toContain("b");
    expect(firewall.removeOwned("web")).toBe(true);
    expect(firewall.removeOwned("web")).toBe(false);
    expect(firewall.ports()).toEqual([]);
    expect(await client.ask("tcp", "192.168.77.1", 8080)).toBe("ECONNREFUSED");
  });

  test("an internal network reaches only itself", async () => {
    firewall.addNetwork({ ...NET1, internal: true });
    expect(await other.ask("tcp", "192.168.77.2", 80, 300)).toBe("timeout");
    firewall.addNetwork(NET1);
    expect(await other.ask("tcp", "192.168.77.2", 80)).toMatch(/^client saw /);
  });
});

/** A wall such as administrators have: answers, loopback and IPv6's own talk may come in, and one port. */
function buildWall(family: Family, port: number): Request[] {
  const u16be = (value: number): Uint8Array => Uint8Array.of(value >> 8, value & 0xff);
  const word = (value: number): Uint8Array => Uint8Array.of(value, 0, 0, 0);
  const allow: readonly (readonly Expr[])[] = [
    [ct("state", 0), mask(0, 0, word(2 | 4)), cmp("neq", 0, word(0))],
    [meta("iifname", 0), cmp("eq", 0, new TextEncoder().encode("lo\0"))],
    [meta("l4proto", 0), cmp("eq", 0, Uint8Array.of(58))],
    [payload("transport", 2, 2, 0), cmp("eq", 0, u16be(port)), counter()],
  ];
  const rule = (comment: string, exprs: readonly Expr[]): Request =>
    newRule(family, "hostwall", "input", comment, exprs);
  return [
    newTable(family, "hostwall", "of the machine's owner"),
    newChain(family, "hostwall", { name: "input", hook: { type: "filter", on: "input", priority: 0 } }),
    ...allow.map((exprs, i) => rule(`allow ${i}`, [...exprs, verdict("accept")])),
    rule("nothing else", [verdict("drop")]),
  ];
}

needs(...FACTS).describe("the host's own input rules", () => {
  beforeAll(open);
  afterAll(close);
  const ports = [
    { owner: "web", protocol: "tcp", hostIp: "0.0.0.0", hostPort: 8080, address: "10.77.0.2", port: 80 },
    { owner: "web", protocol: "tcp", hostIp: "::", hostPort: 8080, address: "fd00:77::2", port: 80 },
    { owner: "web", protocol: "tcp", hostIp: "0.0.0.0", hostPort: 8082, address: "10.77.0.2", port: 80 },
  ] as const;

  test("judge a published port as if a program of the host listened", async () => {
    firewall.publish(ports);
    using nft = new Nft({ netns: host.fd });
    nft.commit([...buildWall("ip", 8080), ...buildWall("ip6", 8080)]);
    expect(await client.ask("tcp", "192.168.77.1", 8080)).toBe("web saw ::ffff:192.168.77.2");
    expect(await client.ask("tcp", "fd77::1", 8080)).toBe("web saw fd77::2");
    expect(await client.ask("tcp", "192.168.77.1", 8082, 300)).toBe("timeout");
    expect(await host.ask("tcp", "192.168.77.1", 8082)).toMatch(/^web saw /);
    nft.commit([deleteTable("ip", "hostwall")]);
    expect(await client.ask("tcp", "192.168.77.1", 8082)).toBe("web saw ::ffff:192.168.77.2");
  });

  test("are passed by when asked", async () => {
    using nft = new Nft({ netns: host.fd });
    nft.commit(buildWall("ip", 8080));
    using bypassing = new Firewall({ netns: host.fd, input: "bypass" });
    expect(await client.ask("tcp", "192.168.77.1", 8082, 300)).toBe("timeout");
    bypassing.reconcile({ networks: [NET0, NET1], ports });
    expect(await client.ask("tcp", "192.168.77.1", 8082)).toBe("web saw ::ffff:192.168.77.2");
  });
});
