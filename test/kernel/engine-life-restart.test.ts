// Restart policies, health checks, init and events under kill -9 of whoever takes part: nothing is lost, nothing stays behind.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { readStatus } from "@lapstrake/core";
import { needs } from "../support/facts.ts";
import { LapStore } from "../support/lap.ts";
import { commandLine, ended, processes } from "../support/processes.ts";
import { soon, until } from "../support/until.ts";

const LOOP = ["sh", "-c", "trap 'exit 0' TERM; while :; do sleep 0.05; done"];

needs("root", "overlayfs", "native").describe("a life that goes on", () => {
  let store: LapStore;
  beforeAll(() => {
    store = new LapStore();
    store.loadPrograms();
  });
  afterAll(() => store.close());

  const inspect = (name: string, format: string): string => store.ok("inspect", "-f", format, name);
  const state = (name: string): string => inspect(name, "{{.State.Status}}");
  const count = (name: string): number => Number(inspect(name, "{{.RestartCount}}"));
  const dir = (name: string): string => join(store.root, "containers", inspect(name, "{{.Id}}"));
  const supervisor = (name: string): number => readStatus(dir(name))!.supervisorPid;
  const actions = (name: string): string[] =>
    store
      .ok("events", "--since", "0", "--until", "0s", "-f", `container=${name}`, "--format", "{{.Action}}")
      .split("\n");
  const keepers = (): number[] =>
    processes(` _keeper ${store.root} `).filter((pid) => !commandLine(pid).startsWith("/bin/sh"));

  it("restarts on failure, with a growing wait, and gives up at the maximum", async () => {
    store.ok(
      "run",
      "-d",
      "--name",
      "f1",
      "--network",
      "none",
      "--restart",
      "on-failure:2",
      "progs:1",
      "sh",
      "-c",
      "exit 3",
    );
    const whole = "{{.State.Status}} {{.RestartCount}} {{.State.ExitCode}} {{.State.Restarting}}";
    await soon(() => expect(inspect("f1", whole)).toBe("exited 2 3 false"));
    expect(store.ok("wait", "f1")).toBe("3");
    await soon(() => expect(actions("f1")).toEqual(["create", "start", "die", "start", "die", "start", "die"]));
    store.ok("rm", "f1");
  });

  it("stays stopped when a person stops it, also while it waits", async () => {
    store.ok("run", "-d", "--name", "w1", "--network", "none", "--restart", "always", "progs:1", "false");
    await until("waits long", () => count("w1") >= 3);
    await until("restarting", () => state("w1") === "restarting");
    expect(store.run(["rm", "w1"]).stderr).toContain("You cannot remove a restarting container");
    store.ok("stop", "w1");
    const before = count("w1");
    expect(state("w1")).toBe("exited");
    await sleep(1500);
    expect([state("w1"), count("w1")]).toEqual(["exited", before]);
    store.ok("update", "--restart", "no", "w1");
    expect(inspect("w1", "{{.HostConfig.RestartPolicy.Name}}")).toBe("no");
    store.ok("rm", "w1");
  });

  it("goes on after kill -9 of its supervisor, which is recorded", async () => {
    store.ok("run", "-d", "--name", "s1", "--network", "none", "--restart", "always", "progs:1", ...LOOP);
    const first = supervisor("s1");
    process.kill(first, "SIGKILL");
    await until("runs again", () => state("s1") === "running" && supervisor("s1") !== first);
    expect(count("s1")).toBe(1);
    await soon(() => expect(actions("s1")).toEqual(["create", "start", "die", "start"]));
    expect(store.ok("events", "--since", "0", "--until", "0s", "-f", "container=s1", "-f", "event=die")).toContain(
      "exitCode=137",
    );
    store.ok("rm", "-f", "s1");
  });

  it("goes on after kill -9 of the keeper while it waits", async () => {
    store.ok("run", "-d", "--name", "k1", "--network", "none", "--restart", "always", "progs:1", "sh", "-c", "exit 1");
    await until("waits long", () => count("k1") >= 4);
    const before = count("k1");
    for (const pid of keepers()) process.kill(pid, "SIGKILL");
    await until("tried again", () => count("k1") > before);
    store.ok("rm", "-f", "k1");
  });

  it("is picked up by the next command when everybody who knew was killed", async () => {
    store.ok("run", "-d", "--name", "o1", "--network", "none", "--restart", "always", "progs:1", ...LOOP);
    const file = join(dir("o1"), "restart.json");
    // What a reaper that was killed before it told the keeper, or a crash of both, leaves.
    store.ok("stop", "-t", "1", "o1");
    writeFileSync(file, JSON.stringify({ count: 1, delayMs: 100, stopped: false, dueMs: Date.now() }));
    expect(state("o1")).toMatch(/restarting|running/);
    await until("runs", () => store.ok("ps", "-q", "--filter", "name=o1", "--filter", "status=running") !== "");
    store.ok("rm", "-f", "o1");
  });

  it("starts with the machine what its policy says", () => {
    for (const policy of ["always", "unless-stopped", "no"]) {
      store.ok("run", "-d", "--name", `b-${policy}`, "--network", "none", "--restart", policy, "progs:1", ...LOOP);
      store.ok("stop", "-t", "1", `b-${policy}`);
    }
    expect(store.ok("system", "start")).toBe("b-always");
    expect(["always", "unless-stopped", "no"].map((policy) => state(`b-${policy}`))).toEqual([
      "running",
      "exited",
      "exited",
    ]);
    expect(store.ok("system", "start", "--print-unit")).toContain(`--root ${store.root} system start`);
    store.ok("rm", "-f", "b-always", "b-unless-stopped", "b-no");
  });

  it("checks health, acts on it, and goes on after kill -9 of the keeper", async () => {
    const line = "while [ ! -e /go ]; do sleep 0.02; done; cat /ok";
    const check = ["--health-cmd", line, "--health-interval", "100ms", "--health-retries", "2"];
    store.ok("run", "-d", "--name", "h1", "--network", "none", ...check, "progs:1", ...LOOP);
    expect(store.ok("ps", "--filter", "name=h1", "--format", "{{.Status}}")).toContain("(health: starting)");
    store.ok("exec", "h1", "touch", "/go");
    await until("unhealthy", () => inspect("h1", "{{.State.Health.Status}}") === "unhealthy");
    expect(inspect("h1", "{{(index .State.Health.Log 0).Output}}")).toContain("No such file");
    store.ok("exec", "h1", "touch", "/ok");
    await until("healthy", () => inspect("h1", "{{.State.Health.Status}}") === "healthy");
    for (const pid of keepers()) process.kill(pid, "SIGKILL");
    store.ok("exec", "h1", "rm", "/ok");
    await until("unhealthy again", () => store.ok("ps", "-q", "--filter", "health=unhealthy") !== "");
    const seen = actions("h1").filter((action) => action.startsWith("health_status"));
    expect(seen).toEqual(["health_status: unhealthy", "health_status: healthy", "health_status: unhealthy"]);
    store.ok("rm", "-f", "h1");
  });

  it("restarts what is unhealthy when asked to", async () => {
    const check = ["--health-cmd", "cat /nosuch", "--health-interval", "100ms", "--health-retries", "1"];
    store.ok(
      "run",
      "-d",
      "--name",
      "u1",
      "--network",
      "none",
      ...check,
      "--health-on-failure",
      "restart",
      "progs:1",
      ...LOOP,
    );
    await until("restarted twice", () => count("u1") >= 2);
    store.ok("stop", "-t", "1", "u1");
    expect(state("u1")).toBe("exited");
    store.ok("rm", "u1");
  });

  it("times out a check that hangs", async () => {
    const check = [
      "--health-cmd",
      "sleep 100",
      "--health-interval",
      "100ms",
      "--health-timeout",
      "200ms",
      "--health-retries",
      "1",
    ];
    store.ok("run", "-d", "--name", "t1", "--network", "none", ...check, "progs:1", ...LOOP);
    await until("unhealthy", () => inspect("t1", "{{.State.Health.Status}}") === "unhealthy");
    expect(inspect("t1", "{{(index .State.Health.Log 0).Output}}")).toContain("exceeded timeout (0.2s)");
    store.ok("rm", "-f", "t1");
  });

  it("has an init that forwards signals, reaps, and gives the program's status", async () => {
    expect(store.run(["run", "--rm", "--init", "progs:1", "sh", "-c", "exit 7"]).code).toBe(7);
    expect(store.run(["run", "--rm", "--init", "progs:1", "nosuch"])).toMatchObject({ code: 127 });
    expect(store.ok("run", "--rm", "--init", "progs:1", "cat", "/proc/1/cmdline")).toContain("/sbin/docker-init");
    store.ok("run", "-d", "--name", "i1", "--init", "progs:1", "sleep", "100");
    store.ok("stop", "i1");
    expect(inspect("i1", "{{.State.ExitCode}}")).toBe("143");
    store.ok("rm", "i1");
    store.ok("run", "-d", "--name", "i2", "--init", "progs:1", "sh", "-c", "(sleep 0.1 &) ; exec sleep 100");
    const zombies = (): string =>
      store
        .ok("exec", "i2", "sh", "-c", "for s in /proc/[0-9]*/stat; do cat $s; done 2>/dev/null; true")
        .replaceAll(/^(?!.* Z ).*\n?/gm, "");
    await soon(() => expect(zombies()).toBe(""));
    store.ok("rm", "-f", "i2");
  });

  it("follows events as they happen, from several processes, each once", async () => {
    const follower = store.spawn([
      "events",
      "--format",
      "{{.Action}} {{.Actor.Attributes.name}}",
      "-f",
      "type=container",
    ]);
    let seen = "";
    follower.stdout!.on("data", (chunk: Buffer) => (seen += chunk.toString()));
    await until("it follows", () => {
      store.ok("rm", store.ok("create", "--name", "seen", "--network", "none", "progs:1", "true"));
      return seen !== "";
    });
    const clients = ["e1", "e2", "e3"].map((name) =>
      store.spawn(["run", "--rm", "--network", "none", "--name", name, "progs:1", "true"]),
    );
    await Promise.all(clients.map(ended));
    await until("all seen", () => ["e1", "e2", "e3"].every((name) => seen.includes(`destroy ${name}\n`)));
    for (const name of ["e1", "e2", "e3"]) {
      const own = seen.split("\n").filter((line) => line.endsWith(` ${name}`));
      expect(own.map((line) => line.split(" ")[0])).toEqual(["create", "attach", "start", "die", "destroy"]);
    }
    follower.kill("SIGINT");
    expect(await ended(follower)).toBe(130);
  });
});
