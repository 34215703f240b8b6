// Networks of a store made true in a namespace that stands for the host: members, names, ports, collisions, crashes.
import { fork, type ChildProcess } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  createNetns,
  Firewall,
  raiseLoopback,
  removeBridgeNetwork,
  removeNetns,
  reservePort,
  Rtnl,
} from "@lapstrake/core";
import { Networks, parsePortSpec, startDns, type EndpointRecord } from "@lapstrake/engine";
import { afterAll, afterEach, beforeAll, beforeEach, expect } from "vitest";
import { needs } from "../support/facts.ts";
import { soon } from "../support/until.ts";
import { openSpace, type Space } from "./core-net-spaces.ts";

const FACTS = ["linux", "root", "command:unshare", "command:nsenter"] as const;
const [WEB, DB] = ["a".repeat(64), "b".repeat(64)];

/** Compiled once for all processes that import the engine: its sources take most of their time. */
let compiled: string;
let root: string;
let host: Space, web: Space, db: Space;
let networks: Networks;

function connect(
  network: string,
  containerId: string,
  space: Space,
  name: string,
  ports: readonly string[] = [],
): EndpointRecord {
  const request = { containerId, containerName: name, netns: { pid: space.pid }, aliases: [`${name}-alias`] };
  return networks.connect(network, { ...request, ports: ports.flatMap(parsePortSpec) });
}

/** Another process, which imports the engine. */
function start(script: string, ...args: readonly string[]): ChildProcess {
  const env = { ...process.env, NODE_COMPILE_CACHE: compiled };
  return fork(join(import.meta.dirname, script), args, { execArgv: ["--conditions=@lapstrake/source"], env });
}

function devices(space: Space): string[] {
  using rtnl = new Rtnl({ netns: space.fd });
  return rtnl
    .links()
    .map(({ name }) => name)
    .filter((name) => name !== "lo" && !name.startsWith("lap-reinject"));
}

function publishedPorts(): string[] {
  using firewall = new Firewall({ netns: host.fd });
  return firewall.ports().map((port) => `${port.hostIp}:${port.hostPort}->${port.port}/${port.protocol}`);
}

needs(...FACTS).describe("networks of a store", () => {
  const { test } = needs(...FACTS);
  beforeAll(() => {
    compiled = mkdtempSync(join(tmpdir(), "lap-networks-compiled-"));
  });
  afterAll(() => rmSync(compiled, { recursive: true, force: true }));
  beforeEach(async () => {
    root = mkdtempSync(join(tmpdir(), "lap-networks-"));
    [host, web, db] = await Promise.all([openSpace(), openSpace(), openSpace()]);
    raiseLoopback({ fd: host.fd });
    networks = new Networks({ root, netns: host.fd });
  });
  afterEach(() => {
    for (const space of [host, web, db]) space?.[Symbol.dispose]();
    rmSync(root, { recursive: true, force: true });
  });

  test("two containers find each other by name, alias and id, and the host a published port", async () => {
    networks.create({ name: "app", ipv6: true });
    connect("app", WEB, web, "web", ["8080:80", "127.0.0.1::81"]);
    const { addresses } = connect("app", DB, db, "db");
    await Promise.all([web.listen("tcp", "::", 80, "web"), db.listen("tcp", "::", 5432, "db")]);
    const source = { zones: () => networks.zonesOf(WEB), forwards: () => false, upstreams: () => [] };
    await using _dns = await startDns({ pid: web.pid }, source);
    for (const name of ["db", "db-alias", "bbbbbbbbbbbb", "db.app"]) {
      expect(await web.resolve(name, "A")).toBe(addresses[0]!.split("/")[0]);
    }
    const six = await web.resolve("db", "AAAA");
    expect(await web.ask("tcp", six, 5432)).toMatch(/^db saw fd/);
    expect(await host.ask("tcp", "127.0.0.1", 8080)).toMatch(/^web saw /);
    const ports = publishedPorts();
    expect(ports).toEqual(expect.arrayContaining(["0.0.0.0:8080->80/tcp", ":::8080->80/tcp"]));
    expect(ports.find((port) => port.startsWith("127.0.0.1:"))).toMatch(/^127\.0\.0\.1:\d{5}->81\/tcp$/);
    expect(networks.disconnect("app", WEB)).toBe(true);
    expect(networks.disconnect("app", WEB)).toBe(false);
    expect(publishedPorts()).toEqual([]);
    expect(devices(web)).toEqual([]);
  });

  test("a container on two networks has two devices and one way out; leaving all leaves nothing", () => {
    networks.create({ name: "inner", internal: true });
    connect("inner", WEB, web, "web");
    connect("bridge", WEB, web, "web");
    expect(devices(web)).toEqual(["eth0", "eth1"]);
    using inside = new Rtnl({ netns: web.fd });
    const defaults = inside.routes().filter(({ destination }) => destination === "0.0.0.0/0");
    expect(defaults).toMatchObject([{ gateway: "172.17.0.1" }]);
    expect(networks.zonesOf(WEB).map(({ network }) => network)).toEqual(["inner"]);
    networks.create({ name: "other", ipv6: true });
    connect("other", WEB, web, "web");
    networks.disconnect("bridge", WEB, { pid: web.pid });
    const found = networks.find("other");
    const others = inside.routes().filter(({ destination }) => destination.endsWith("/0"));
    expect(others.map(({ gateway }) => gateway)).toEqual(found.pools.map(({ gateway }) => gateway));
    networks.disconnect("other", WEB, { pid: web.pid });
    networks.remove("other");
    networks.disconnectAll(WEB);
    networks.disconnectAll(WEB);
    expect(devices(web)).toEqual([]);
    expect(networks.list().map(({ endpoints, pools }) => [endpoints, pools[0]!.leases])).toEqual([
      [{}, {}],
      [{}, {}],
    ]);
    networks.remove("inner");
    expect(devices(host)).toEqual(["lap0"]);
  });

  test("a port that is taken undoes the whole connection, whoever has it", async () => {
    connect("bridge", DB, db, "db", ["8080:80"]);
    expect(() => connect("bridge", WEB, web, "web", ["9090:80", "8080:80"])).toThrow(
      expect.objectContaining({
        code: "ERR_LAP_PORT_TAKEN",
        message: expect.stringContaining("Bind for 0.0.0.0:8080 failed: port is already allocated") as unknown,
      }),
    );
    await host.listen("tcp", "0.0.0.0", 7070, "host");
    expect(() => connect("bridge", WEB, web, "web", ["7070:80"])).toThrow(
      expect.objectContaining({ code: "ERR_LAP_PORT_IN_USE" }),
    );
    expect(connect("bridge", WEB, web, "web", ["8080-8082:80"]).ports).toMatchObject([
      { hostIp: "0.0.0.0", hostPort: 8081 },
      { hostIp: "::", hostPort: 8081 },
    ]);
    networks.disconnectAll(WEB);
    expect(devices(web)).toEqual([]);
    expect(publishedPorts()).toEqual(["0.0.0.0:8080->80/tcp"]);
    expect(Object.keys(networks.find("bridge").endpoints)).toEqual([DB]);
  });

  test("published ports change while the container runs, all or none", async () => {
    connect("bridge", DB, db, "db", ["9999:80"]);
    connect("bridge", WEB, web, "web", ["8080:80", "8081:81"]);
    await web.listen("tcp", "0.0.0.0", 80, "web");
    networks.republish("bridge", WEB, ["8080:80", "8090:80"].flatMap(parsePortSpec));
    expect(await host.ask("tcp", "127.0.0.1", 8090)).toMatch(/^web saw /);
    expect(await host.ask("tcp", "127.0.0.1", 8081)).toBe("ECONNREFUSED");
    const clash = ["8100:80", "9999:80"].flatMap(parsePortSpec);
    expect(() => networks.republish("bridge", WEB, clash)).toThrow(
      expect.objectContaining({ code: "ERR_LAP_PORT_TAKEN" }),
    );
    expect(networks.endpointsOf(WEB)[0]?.endpoint.ports.map(({ hostPort }) => hostPort)).toEqual([
      8080, 8080, 8090, 8090,
    ]);
    expect(await host.ask("tcp", "127.0.0.1", 8090)).toMatch(/^web saw /);
    networks.republish("bridge", WEB, []);
    expect(publishedPorts()).toEqual(["0.0.0.0:9999->80/tcp"]);
  });

  test("a connection that was cut short does not stand in the way of the next", () => {
    networks.create({ name: "half" });
    const { addresses } = connect("half", WEB, web, "web");
    using inside = new Rtnl({ netns: web.fd });
    inside.setLink(inside.link("eth0"), { up: false });
    expect(connect("half", WEB, web, "web").addresses).not.toEqual(addresses);
    expect(devices(web)).toEqual(["eth0"]);
    expect(() => connect("half", WEB, web, "web")).toThrow(/already exists in network half/);
    expect(Object.keys(networks.find("half").pools[0]!.leases)).toHaveLength(1);
  });

  test("a connection that was cut short before its ports has them when it is asked for again", () => {
    const { id } = connect("bridge", WEB, web, "web");
    const { ports } = connect("bridge", WEB, web, "web", ["8080:80"]);
    expect(publishedPorts().sort()).toEqual(["0.0.0.0:8080->80/tcp"]);
    {
      using firewall = new Firewall({ netns: host.fd });
      firewall.removeOwned(id);
    }
    // As the keeper does, which follows the record.
    using _held = reservePort(ports[0]!, host.fd);
    expect(connect("bridge", WEB, web, "web", ["8080:80"]).ports).toEqual(ports);
    expect(publishedPorts()).toEqual(["0.0.0.0:8080->80/tcp"]);
    expect(() => connect("bridge", WEB, web, "web", ["8080:80"])).toThrow(/already exists in network bridge/);
  });

  test("docker's words for what is refused", () => {
    const { id } = networks.create({ name: "one", subnets: [{ subnet: "10.99.0.0/24" }] });
    // The default one has its subnet before anybody takes the last.
    expect(networks.list().map(({ name }) => name)).toEqual(["bridge", "one"]);
    const refused = (what: () => unknown, message: string): void =>
      expect(what).toThrow(expect.objectContaining({ message }));
    refused(() => networks.create({ name: "one" }), "network with name one already exists");
    refused(() => networks.create({ name: "host" }), "operation is not permitted on predefined host network");
    refused(
      () => networks.create({ name: "two", subnets: [{ subnet: "10.99.0.128/25" }] }),
      "Pool overlaps with other one on this address space",
    );
    refused(() => networks.find("nosuch"), "network nosuch not found");
    connect("one", WEB, web, "cap1");
    refused(() => connect("one", WEB, web, "cap1"), "endpoint with name cap1 already exists in network one");
    refused(() => networks.remove("one"), `error while removing network: network one id ${id} has active endpoints`);
    expect(networks.find(id.slice(0, 6)).name).toBe("one");
    expect(readdirSync(join(root, "networks")).filter((file) => file.endsWith(".json"))).toHaveLength(2);
  });

  test("after a reboot bridges and ports are made again, and members that died are gone", async () => {
    networks.create({ name: "app" });
    connect("app", WEB, web, "web", ["8080:80"]);
    connect("app", DB, db, "db", ["8081:80"]);
    const before = networks.find("app");
    using firewall = new Firewall({ netns: host.fd });
    firewall.remove();
    removeBridgeNetwork(before, { netns: host.fd });
    expect(networks.restore((containerId) => containerId === WEB)).toBeGreaterThan(0);
    expect(networks.restore((containerId) => containerId === WEB)).toBe(0);
    expect(devices(host)).toContain(before.bridge);
    expect(publishedPorts().sort()).toEqual(["0.0.0.0:8080->80/tcp"]);
    expect(Object.values(networks.find("app").pools[0]!.leases)).toEqual([before.endpoints[WEB]!.id]);
  });

  test("killed at any instant, the same is asked for again and works, and nothing stays", async () => {
    for (let i = 0; i < 5; i++) {
      const child = start("core-net-looper.ts", root, String(host.pid), String(web.pid), WEB);
      await new Promise((resolve) => child.once("message", resolve));
      await new Promise((resolve) => setTimeout(resolve, 5 + Math.random() * 60));
      child.kill("SIGKILL");
      await new Promise((resolve) => child.once("exit", resolve));
      networks.disconnectAll(WEB);
      connect("bridge", WEB, web, "web", ["8080:80"]);
      expect(devices(web)).toEqual(["eth0"]);
      expect(publishedPorts()).toEqual(["0.0.0.0:8080->80/tcp"]);
    }
    networks.restore(() => false);
    expect(publishedPorts()).toEqual([]);
    expect(devices(web)).toEqual([]);
    await soon(() => expect(devices(host)).toEqual(["lap0"]));
    expect(networks.find("bridge").pools[0]!.leases).toEqual({});
    expect(readdirSync(join(root, "networks")).filter((file) => file.startsWith(".tmp-")).length).toBeLessThanOrEqual(
      8,
    );
  });

  test("fifty cycles leave no descriptor, mount or device", async () => {
    const cycle = (i: number): void => {
      const path = join(root, `ns${i}`);
      createNetns(path);
      const request = { containerId: WEB, containerName: "web", netns: { path }, ports: parsePortSpec("8080:80") };
      networks.connect("bridge", request);
      removeNetns(path);
      networks.disconnectAll(WEB, i % 2 === 0 ? "delete" : "with-namespace");
    };
    cycle(0);
    const descriptors = readdirSync("/proc/self/fd").length;
    for (let i = 1; i <= 50; i++) cycle(i);
    expect(readdirSync("/proc/self/fd").length).toBeLessThanOrEqual(descriptors);
    expect(readFileSync("/proc/self/mountinfo", "utf8")).not.toContain(root);
    await soon(() => expect(devices(host)).toEqual(["lap0"]));
  });

  test("processes that connect at once share no address", async () => {
    const children = ["1", "2", "3", "4"].map((n) => start("core-net-connector.ts", root, String(host.pid), n));
    const codes = await Promise.all(children.map((child) => new Promise((resolve) => child.on("exit", resolve))));
    expect(codes).toEqual([0, 0, 0, 0]);
    const { endpoints, pools } = networks.find("bridge");
    expect(Object.keys(endpoints)).toHaveLength(12);
    expect(new Set(Object.values(endpoints).map(({ addresses }) => addresses[0])).size).toBe(12);
    expect(Object.keys(pools[0]!.leases)).toHaveLength(12);
    expect(networks.restore(() => false)).toBe(0);
    expect(networks.find("bridge").pools[0]!.leases).toEqual({});
  });
});
