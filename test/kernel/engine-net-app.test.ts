// An application of two containers as a person keeps one: a user network with names, a volume, a published port, logs, exec, stops, crashes
// and an upgrade; in a namespace that stands for the machine's. And what is left of it on the machine: nothing.
import { execPath } from "node:process";
import { Firewall, raiseLoopback, readSysctl, Rtnl, writeSysctl } from "@lapstrake/core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { needs } from "../support/facts.ts";
import { LapStore } from "../support/lap.ts";
import { processes } from "../support/processes.ts";
import { until } from "../support/until.ts";
import { openSpace, type Space } from "./core-net-spaces.ts";

/** Counts its visitors in a file of its volume. */
const DATABASE = `
const { readFileSync, writeFileSync, existsSync } = require("node:fs");
const file = "/data/visits";
require("node:net").createServer((s) => s.on("error", () => 0).on("data", () => {
  const visits = existsSync(file) ? Number(readFileSync(file, "utf8")) + 1 : 1;
  writeFileSync(file, String(visits));
  s.end(String(visits));
})).listen(5432, "::");
process.on("SIGTERM", () => process.exit(0));`;

/** Asks the database for every request. */
const WEB = `
const version = process.argv[1];
require("node:http").createServer((request, response) => {
  console.log("asked for " + request.url);
  const c = require("node:net").connect(5432, "db", () => c.write("x"));
  c.on("data", (visits) => response.end(version + " visit " + visits));
  c.on("error", (error) => response.end(version + " without database: " + error.code));
}).listen(80, "::");
process.on("SIGTERM", () => process.exit(0));`;

const PORT = 18_200;
const FORWARD = ["ipv4", "ip_forward"];

needs("root", "overlayfs", "native", "command:unshare", "command:nsenter").describe(
  "an application on a network",
  () => {
    let host: Space;
    let store: LapStore;
    let tidied = false;
    beforeAll(async () => {
      host = await openSpace();
      raiseLoopback({ fd: host.fd });
      writeSysctl(FORWARD, "0", host.fd);
      store = new LapStore({ netns: `/proc/${host.pid}/ns/net` });
    });
    afterAll(async () => {
      await store.close();
      host[Symbol.dispose]();
      expect(tidied).toBe(true);
    });

    const get = (path: string): string => {
      const script = `fetch("http://127.0.0.1:${PORT}${path}").then((r) => r.text()).then(console.log, (e) => console.log(e.cause?.code))`;
      return host.run(execPath, "-e", script).trim();
    };
    const database = (): string =>
      store.ok("run", "-d", "--name", "db", "--network", "app", "-v", "data:/data", "host", execPath, "-e", DATABASE);
    const web = (version: string): string => {
      const flags = ["--name", "web", "--network", "app", "-p", `127.0.0.1:${PORT}:80`];
      return store.ok("run", "-d", ...flags, "host", execPath, "-e", WEB, version);
    };

    it("serves, is looked into, and survives what happens to its parts", async () => {
      store.ok("network", "create", "app");
      database();
      web("v1");
      await until("serves", () => get("/").startsWith("v1 visit"));
      const first = visits(get("/first"));
      expect(store.ok("logs", "web")).toMatch(/asked for \/first$/);
      expect(store.ok("exec", "db", "cat", "/data/visits")).toBe(String(first));
      expect(store.ok("ps", "--format", "{{.Names}} {{.Ports}}")).toBe(`web 127.0.0.1:${PORT}->80/tcp\ndb`);

      store.ok("stop", "-t", "5", "db");
      expect(get("/")).toMatch(/^v1 without database: (?:ENOTFOUND|EAI_AGAIN)$/);
      store.ok("start", "db");
      await until("the database is back", () => get("/").startsWith("v1 visit"));
      expect(visits(get("/"))).toBeGreaterThan(first);

      // Whoever kills the keeper and who watches it: the next look at the containers brings it back.
      for (const pid of processes(`_keeper ${store.root}`)) process.kill(pid, "SIGKILL");
      store.ok("ps");
      await until("names are back", () => get("/").startsWith("v1 visit"));
    });

    it("is upgraded: the port goes over, the data stays", async () => {
      const before = visits(get("/"));
      store.ok("rm", "-f", "web");
      web("v2");
      await until("v2 serves", () => get("/").startsWith("v2 visit"));
      store.ok("rm", "-f", "db");
      database();
      await until("a new database with the old data", () => visits(get("/")) > before);
    });

    it("keeps its port from programs of the machine, and its firewall from whoever empties it", async () => {
      expect(await host.listen("tcp", "127.0.0.1", PORT, "thief")).toMatch(/EADDRINUSE/);
      using firewall = new Firewall({ netns: host.fd });
      expect(firewall.remove()).toBe(true);
      store.ok("run", "--rm", "host", "true");
      expect(get("/")).toMatch(/^v2 visit/);
    });

    it("tells of its networks", () => {
      const lines = store.ok("events", "--since", "10m", "--until", "0s", "--filter", "type=network").split("\n");
      const actions = lines.map((line) => / network (\w+) /.exec(line)?.[1]);
      expect(actions.slice(0, 3)).toEqual(["create", "connect", "connect"]);
      expect(actions).toContain("disconnect");
    });

    it("leaves nothing on the machine", async () => {
      store.ok("rm", "-f", "web", "db");
      expect(store.ok("network", "prune", "-f")).toBe("Deleted Networks:\napp");
      using rtnl = new Rtnl({ netns: host.fd });
      await until("devices are gone", () => rtnl.links().length === 1);
      using firewall = new Firewall({ netns: host.fd, input: "bypass" });
      expect(firewall.remove()).toBe(false);
      expect(readSysctl(FORWARD, host.fd)).toBe("0");
      tidied = true;
    });
  },
);

function visits(answer: string): number {
  return Number(/ visit (\d+)$/.exec(answer)?.[1]);
}
