// The network of a user without privilege: a way out, published ports, and a process that ends with its container. What is the
// machine here is a network namespace.
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { execPath } from "node:process";
import { raiseLoopback, Rtnl } from "@lapstrake/core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { needs } from "../support/facts.ts";
import { copyFiles, programFiles } from "../support/programs.ts";
import { soon } from "../support/until.ts";
import { openSpace, type Space } from "./core-net-spaces.ts";
import { Home, ROOTLESS_FACTS } from "./engine-rootless-home.ts";

const FACTS = [...ROOTLESS_FACTS, "command:nsenter"];
const SERVER = `require("node:net").createServer((s) => s.end("box saw " + s.remoteAddress)).listen(80, "0.0.0.0")`;
/** Prints what a server says, or why it says nothing. */
const CLIENT = `const [host, port, ms = 10_000] = process.argv.slice(1); const s = require("node:net").connect(port, host);
s.setTimeout(Number(ms), () => { console.log("timeout"); process.exit(); });
s.on("error", (e) => console.log(e.code)); s.on("data", (d) => console.log(String(d)))`;

const TOOLS = ["pasta", "slirp4netns"] as const;

describe.each(TOOLS)("networks without root by %s", (tool) => {
  needs(...FACTS, `command:${tool}`).describe("has what docker's default network has", () => carriedBy(tool));
});

function carriedBy(tool: string): void {
  let host: Space;
  let home: Home;
  let node: string[];

  beforeAll(async () => {
    host = await openSpace();
    raiseLoopback({ fd: host.fd });
    // A machine that has a way out itself.
    using rtnl = new Rtnl({ netns: host.fd });
    rtnl.addVeth({ name: "out0" }, { name: "out1" });
    rtnl.addAddress(rtnl.link("out0"), "10.99.0.1/24");
    for (const name of ["out0", "out1"]) rtnl.setLink(rtnl.link(name), { up: true });
    rtnl.setDefaultRoute("10.99.0.254", rtnl.link("out0"));
    home = new Home({ netns: `/proc/${host.pid}/ns/net` });
    const tools = join(home.folder, "tools");
    mkdirSync(tools);
    copyFiles(tools, programFiles([execPath]));
    const libraries = programFiles([execPath]).map((file) => `/tools${file.slice(0, file.lastIndexOf("/"))}`);
    const path = `LD_LIBRARY_PATH=${[...new Set(libraries)].join(":")}`;
    node = ["-v", `${tools}:/tools:ro`, "-e", path, "progs:1", `/tools${execPath}`, "-e"];
    home.ok("load", "-i", join(home.folder, "layout"));
  });
  afterAll(async () => {
    await home.close();
    host[Symbol.dispose]();
  });

  const answer = (port: number): Promise<string> => host.ask("tcp", "127.0.0.1", port, 1000);
  const ask = (address: string, port: number, ...patienceMs: readonly string[]): string =>
    home.ok("run", "--rm", "--network", tool, ...node, CLIENT, "--", address, String(port), ...patienceMs).trim();

  it("is what a container has that asks for nothing, by the better tool", () => {
    const name = home.ok("create", "progs:1", "true").trim();
    const better = TOOLS.find((each) => spawnSync("which", [each]).status === 0);
    expect(home.ok("inspect", "-f", "{{.HostConfig.NetworkMode}}", name).trim()).toBe(better);
    home.ok("rm", name);
    const script = "cat /proc/net/dev /etc/resolv.conf /etc/hosts";
    const text = home.ok("run", "--rm", "--network", tool, "progs:1", "sh", "-c", script);
    expect(text).toMatch(/^\s*tap0:/m);
    expect(text).toMatch(/^nameserver 10\.0\.2\.3$/m);
    expect(text).toMatch(/\thost\.docker\.internal host\.lap\.internal$/m);
    expect(home.ok("run", "--rm", "--network", "none", "progs:1", "cat", "/proc/net/dev")).not.toContain("tap0");
  });

  it("leads out, but not to the machine's loopback", async () => {
    expect(await host.listen("tcp", "0.0.0.0", 18_410, "out")).toBe("listening");
    expect(ask("10.99.0.1", 18_410)).toMatch(/^out saw /);
    expect(ask("10.0.2.2", 18_410, "1000")).toMatch(/^(?:ENETUNREACH|ECONNREFUSED|EHOSTUNREACH|timeout)$/);
  });

  it("publishes ports, shows them and lets go of them", async () => {
    home.ok("run", "-d", "--name", "web", "--network", tool, "-p", "127.0.0.1:18401:80", ...node, SERVER);
    await soon(async () => expect(await answer(18_401)).toMatch(/^box saw /));
    expect(home.ok("port", "web")).toBe("80/tcp -> 127.0.0.1:18401\n");
    expect(home.ok("ps", "--format", "{{.Ports}} {{.Networks}}")).toBe(`127.0.0.1:18401->80/tcp ${tool}\n`);
    const format = "{{json .NetworkSettings.Ports}} {{.NetworkSettings.IPAddress}}";
    expect(home.ok("inspect", "-f", format, "web")).toBe(
      '{"80/tcp":[{"HostIp":"127.0.0.1","HostPort":"18401"}]} 10.0.2.100\n',
    );
    const taken = home.run("run", "--rm", "-p", "127.0.0.1:18401:80", "progs:1", "true");
    expect(taken).toMatchObject({ code: 125 });
    expect(taken.stderr).toContain("failed to bind host port 127.0.0.1:18401/tcp: address already in use");
    home.ok("stop", "-t", "0", "web");
    expect(home.ok("port", "web")).toBe("");
    home.ok("start", "web");
    await soon(async () => expect(await answer(18_401)).toMatch(/^box saw /));
    home.ok("rm", "-f", "web");
    await soon(async () => expect(await answer(18_401)).toBe("ECONNREFUSED"));
  });

  it("ends with a supervisor that is killed", async () => {
    home.ok("run", "-d", "--name", "lost", "--network", tool, "progs:1", "sleep", "100");
    await soon(() => expect(carriers(host, tool)).toHaveLength(1));
    const pid = home.ok("inspect", "-f", "{{.State.Pid}}", "lost").trim();
    process.kill(Number(/^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))![1]!), "SIGKILL");
    await soon(() => expect(carriers(host, tool)).toEqual([]));
    home.ok("rm", "lost");
  });

  it("leaves no process", async () => {
    await soon(() => expect(carriers(host, tool)).toEqual([]));
  });

  it.each([
    [["-p", "80:80"], "the machine keeps its low ports for root"],
    [["-p", "[::1]:18402:80"], "without root ports are published at IPv4 addresses"],
    [["-p", "18402:80/sctp"], "without root no SCTP port is published"],
    [["--network", "mine"], 'network "mine" needs root'],
  ])("says what it cannot give: %j", (flags, text) => {
    const { code, stderr } = home.run("run", "--rm", ...flags, "progs:1", "true");
    expect(code).toBe(125);
    expect(stderr).toContain(text);
  });
}

/** What they call themselves. */
const NAMES: Readonly<Record<string, RegExp>> = { pasta: /^pas(?:ta|st)\b/, slirp4netns: /^slirp4netns$/ };

/** The processes that carry networks, in the namespace that stands for the machine's. */
function carriers(host: Space, tool: string): string[] {
  const machine = readlinkSync(`/proc/${host.pid}/ns/net`);
  return readdirSync("/proc").filter((pid) => {
    try {
      return readlinkSync(`/proc/${pid}/ns/net`) === machine && NAMES[tool]!.test(nameOf(pid));
    } catch {
      return false; // no process, or one that ends
    }
  });
}

function nameOf(pid: string): string {
  return readFileSync(`/proc/${pid}/comm`, "latin1").trim();
}
