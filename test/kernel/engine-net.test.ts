// Containers on networks as a person uses them, in a namespace that stands for the machine's: names, ports, commands, and who is killed.
import { execPath } from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { Firewall, raiseLoopback, Rtnl } from "@lapstrake/core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { needs } from "../support/facts.ts";
import { LapStore } from "../support/lap.ts";
import { commandLine, processes } from "../support/processes.ts";
import { soon, until } from "../support/until.ts";
import { openSpace, type Space } from "./core-net-spaces.ts";

const SERVER = `require("node:net").createServer((s) => s.end("web saw " + s.remoteAddress)).listen(80, "::")`;
const CLIENT = `
const [kind, host, port] = process.argv.slice(1);
const show = (text) => console.log(String(text));
if (kind === "lookup") require("node:dns").lookup(host, (error, address) => show(error?.code ?? address));
else require("node:net").connect(Number(port), host).on("data", show).on("error", (error) => show(error.code));
`;

needs("root", "overlayfs", "native", "command:unshare", "command:nsenter").describe("containers on networks", () => {
  let host: Space;
  let store: LapStore;
  beforeAll(async () => {
    host = await openSpace();
    raiseLoopback({ fd: host.fd });
    using rtnl = new Rtnl({ netns: host.fd });
    rtnl.addAddress(rtnl.link("lo"), "fd77::1/128");
    store = new LapStore({ netns: `/proc/${host.pid}/ns/net` });
  });
  afterAll(async () => {
    await store.close();
    host[Symbol.dispose]();
  });

  const serve = (...flags: string[]): string => store.ok("run", "-d", ...flags, "host", execPath, "-e", SERVER);
  const inside = (name: string, ...args: string[]): string => store.ok("exec", name, execPath, "-e", CLIENT, ...args);
  const address = (name: string, network: string): string =>
    store.ok("inspect", "-f", `{{(index .NetworkSettings.Networks "${network}").IPAddress}}`, name);
  const devices = (): string[] => {
    using rtnl = new Rtnl({ netns: host.fd });
    return rtnl.links().map(({ name }) => name);
  };
  const ports = (): string[] => {
    using firewall = new Firewall({ netns: host.fd });
    return firewall.ports().map(({ hostIp, hostPort, port }) => `${hostIp}:${hostPort}->${port}`);
  };

  it("the default network: an address, a way out, its own name, and nothing left", async () => {
    const script = "cat /etc/hosts; cat /proc/net/route; ls /sys/class/net";
    const text = store.ok("run", "--rm", "--network", "bridge", "-h", "box", "host", "sh", "-c", script);
    expect(text).toMatch(/^172\.\d+\.0\.2\tbox$/m);
    expect(text).toMatch(/^172\.\d+\.0\.1\thost\.docker\.internal host\.lap\.internal$/m);
    expect(text).toMatch(/^eth0\t00000000\t/m);
    expect(text).toMatch(/eth0\s+lo$/);
    // The kernel takes a pair of devices away some time after the namespace of one end.
    await soon(() => expect(devices().filter((name) => name.startsWith("veth"))).toEqual([]));
    expect(Object.keys(endpoints("bridge"))).toEqual([]);
  });

  const endpoints = (network: string): Record<string, unknown> =>
    JSON.parse(store.ok("network", "inspect", "-f", "json", network)).Containers as Record<string, unknown>;

  it("publishes ports and tells of them", async () => {
    const id = serve("--network", "bridge", "--name", "web", "-p", "127.0.0.1:18080:80", "-p", "9000-9001:80-81");
    expect(await askUntil("127.0.0.1", 18080, "web saw ")).toMatch(/^web saw (?:::ffff:)?172\.\d+\.0\.1$/);
    // In IPv6 too, though the container has none.
    for (const place of ["127.0.0.1", "::1", "fd77::1"])
      expect(await askUntil(place, 9000, "web saw ")).toMatch(/^web saw (?:::ffff:)?172\.\d+\.0\.1$/);
    expect(store.ok("port", "web")).toBe(
      "80/tcp -> 0.0.0.0:9000\n80/tcp -> 127.0.0.1:18080\n80/tcp -> [::]:9000\n81/tcp -> 0.0.0.0:9001\n81/tcp -> [::]:9001",
    );
    expect(store.ok("port", "web", "80/tcp")).toBe("0.0.0.0:9000\n127.0.0.1:18080\n[::]:9000");
    expect(store.run(["port", "web", "82"])).toMatchObject({
      code: 1,
      stderr: "Error: No public port '82' published for web\n",
    });
    expect(store.ok("ps", "--format", "{{.Ports}}")).toBe(
      "0.0.0.0:9000-9001->80-81/tcp, 127.0.0.1:18080->80/tcp, [::]:9000-9001->80-81/tcp",
    );
    const clash = store.run(["run", "-d", "--network", "bridge", "-p", "18080:80", "host", "sleep", "9"]);
    expect(clash).toMatchObject({
      code: 125,
      stderr: expect.stringMatching(/18080 failed: port is already allocated/),
    });
    const six = store.run(["create", "--network", "bridge", "-p", "[::]:9001:80", "host", "sleep", "9"]).stdout.trim();
    expect(store.run(["start", six]).stderr).toContain("Bind for [::]:9001 failed: port is already allocated");
    const joined = store.ok(
      "run",
      "--rm",
      "--network",
      "container:web",
      "host",
      execPath,
      "-e",
      CLIENT,
      "tcp",
      "::1",
      "80",
    );
    expect(joined).toBe("web saw ::1");
    store.ok("rm", "-f", id, six, clash.stdout.trim());
    expect(ports()).toEqual([]);
  });

  async function askUntil(place: string, port: number, start: string): Promise<string> {
    for (let tries = 0; ; tries++) {
      const answer = await host.ask("tcp", place, port);
      if (answer.startsWith(start) || tries > 100) return answer;
      await sleep(30);
    }
  }

  it("finds others by name, alias and id on a user network, also after the keeper was killed", async () => {
    store.ok("network", "create", "--subnet", "10.99.0.0/24", "app");
    const id = serve("--network", "app", "--name", "db", "--network-alias", "database", "--ip", "10.99.0.9");
    store.ok("run", "-d", "--network", "app", "--name", "box", "host", "sleep", "1000");
    for (const name of ["db", "database", "db.app", id.slice(0, 12)])
      expect(inside("box", "lookup", name)).toBe("10.99.0.9");
    store.ok("rename", "box", "crate");
    expect(inside("crate", "lookup", "crate")).toBe(address("crate", "app"));
    store.ok("rename", "crate", "box");
    await until("served", () => inside("box", "tcp", "database", "80").startsWith("web saw"));
    const keeper = (): number[] =>
      processes(`_keeper ${store.root}`).filter((pid) => !commandLine(pid).startsWith("/bin/sh"));
    const [first] = keeper();
    process.kill(first!, "SIGKILL");
    await until("another keeper", () => keeper().length === 1 && keeper()[0] !== first);
    await until("names again", () => inside("box", "lookup", "db") === "10.99.0.9");
  });

  it("connects and disconnects what runs", () => {
    store.ok("network", "create", "--internal", "back");
    expect(store.ok("network", "connect", "--alias", "store", "back", "db")).toBe("");
    expect(store.run(["network", "connect", "back", "db"])).toMatchObject({
      code: 1,
      stderr: "Error response from daemon: endpoint with name db already exists in network back\n",
    });
    expect(store.run(["network", "rm", "back"]).stderr).toMatch(
      /network back id [0-9a-f]{64} has active endpoints\nexit status 1\n$/,
    );
    store.ok("network", "connect", "back", "box");
    expect(inside("box", "lookup", "store")).toBe(address("db", "back"));
    store.ok("network", "disconnect", "back", "box");
    store.ok("network", "connect", "--link", "db:mine", "back", "box");
    expect(inside("box", "lookup", "mine")).toBe(address("db", "back"));
    store.ok("network", "disconnect", "back", "db");
    expect(inside("box", "lookup", "store")).toMatch(/^E/);
    expect(store.run(["network", "disconnect", "back", "db"]).code).toBe(1);
    store.ok("network", "disconnect", "back", "box");
    expect(store.ok("network", "rm", "back")).toBe("back");
  });

  it("a restarted container is found at once; a killed supervisor leaves no endpoint", async () => {
    store.ok("restart", "-t", "0", "db");
    expect(inside("box", "lookup", "db")).toBe("10.99.0.9");
    const [supervisor] = processes(`lap-shim ${store.ok("inspect", "-f", "{{.Id}}", "db")}`);
    process.kill(supervisor!, "SIGKILL");
    await until("settled", () => store.ok("ps", "-q", "--filter", "name=db") === "");
    expect(Object.values(endpoints("app"))).toMatchObject([{ Name: "box" }]);
    store.ok("rm", "-f", "db", "box");
    expect(store.ok("network", "prune", "-f")).toBe("Deleted Networks:\napp");
    await soon(() => expect(devices().filter((name) => /^(?:veth|br-)/.test(name))).toEqual([]));
  });

  it("says what is wrong in docker's words", () => {
    const refused = (args: readonly string[]): string => store.run(args).stderr.split("\n")[0]!;
    expect(refused(["run", "--rm", "-p", "abc", "host", "true"])).toBe("lap: invalid containerPort: abc");
    expect(refused(["run", "--rm", "--network", "nosuch", "host", "true"])).toBe(
      "lap: Error response from daemon: network nosuch not found",
    );
    expect(refused(["network", "rm", "nosuch"])).toBe("Error response from daemon: network nosuch not found");
    expect(refused(["network", "rm", "bridge"])).toBe(
      "Error response from daemon: bridge is a pre-defined network and cannot be removed",
    );
    expect(refused(["run", "--rm", "--network", "bridge", "--network-alias", "x", "host", "true"])).toMatch(
      /network-scoped alias is supported only for containers in user defined networks/,
    );
    expect(refused(["run", "--rm", "--network", "container:nosuch", "host", "true"])).toMatch(
      /No such container: nosuch/,
    );
    expect(refused(["network", "create", "--subnet", "172.17.0.0/16", "x"])).not.toMatch(/internal error/);
  });
});
