// What is told of a life although nobody was there when it happened, and at the moment although nobody asks: an end whose reaper was killed,
// a killed supervisor after `update --restart`, a kill for want of memory, a store that stops and starts.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { control, lockFile, readStatus } from "@lapstrake/core";
import { needs } from "../support/facts.ts";
import { LapStore } from "../support/lap.ts";
import { processes } from "../support/processes.ts";
import { until } from "../support/until.ts";

needs("root", "overlayfs", "native").describe("told of a life", () => {
  let store: LapStore;
  beforeAll(() => {
    store = new LapStore();
    store.loadPrograms();
  });
  afterAll(() => store.close());

  const run = (name: string, options: readonly string[], ...command: readonly string[]): string =>
    store.ok("run", "-d", "--name", name, "--network", "none", ...options, "progs:1", ...command);
  const dir = (id: string): string => join(store.root, "containers", id);
  const eventsOf = (id: string): string[] =>
    readFileSync(join(store.root, "events", "log"), "utf8")
      .split("\n")
      .filter((line) => line.includes(id) && line.includes('"type":"container"'))
      .map((line) => (JSON.parse(line) as { action: string }).action);

  it("an end whose reaper was killed is told by the next look, once, with its time", async () => {
    const id = run("k1", [], "sh", "-c", "trap 'exit 4' TERM; echo ready; while :; do sleep 0.05; done");
    await until("the trap is set", () => store.ok("logs", "k1") === "ready");
    {
      // The reaper waits for that, and so it is there to be killed.
      using _lock = lockFile(join(dir(id), "lock"));
      process.kill(readStatus(dir(id))!.pid, "SIGTERM");
      await until("the reaper was killed", () => {
        const reapers = processes(`_reap ${store.root} ${id}`);
        for (const pid of reapers) process.kill(pid, "SIGKILL");
        return reapers.length > 0;
      });
    }
    expect(eventsOf(id)).not.toContain("die");
    const finished = store.ok("inspect", "-f", "{{.State.FinishedAt}}", "k1");
    await until("told", () =>
      store.ok("events", "--since", "0", "--until", "0s", "-f", "event=die", "-f", `container=${id}`),
    );
    const lines = store
      .ok("events", "--since", "0", "--until", "0s", "-f", "event=die", "-f", `container=${id}`)
      .split("\n");
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain("exitCode=4");
    expect(lines[0]!.slice(0, 30)).toBe(finished);
    store.ok("rm", "k1");
  });

  it("a container that is given a restart policy is guarded at once", async () => {
    const id = run("g1", [], "sleep", "100");
    store.ok("update", "--restart", "always", "g1");
    const supervisor = readStatus(dir(id))!.supervisorPid;
    process.kill(supervisor, "SIGKILL");
    // Nobody looks: only files are read here.
    const next = (): number => readStatus(dir(id))?.supervisorPid ?? supervisor;
    await until("started again", () => next() !== supervisor && readStatus(dir(id))!.state === "running");
    await until("told", () => eventsOf(id).filter((action) => action === "start").length === 2);
    store.ok("rm", "-f", "g1");
  });

  it("a kill for want of memory is told at the moment, once", async () => {
    const id = run(
      "o1",
      ["-m", "30m"],
      "sh",
      "-c",
      "for i in 1 2; do dd if=/dev/zero of=/dev/null bs=100M count=1; done; sleep 100",
    );
    await until("told", () => eventsOf(id).includes("oom"));
    expect(store.ok("inspect", "-f", "{{.State.Status}} {{.State.OOMKilled}}", "o1")).toBe("running true");
    store.ok("kill", "o1");
    expect(eventsOf(id).filter((action) => action === "oom")).toHaveLength(1);
    await until("the end is told", () => eventsOf(id).at(-1) === "die");
    // The next run has its own.
    store.ok("start", "o1");
    await until("told again", () => eventsOf(id).filter((action) => action === "oom").length === 2);
    store.ok("rm", "-f", "o1");
  });

  it("a store that stops leaves no process, and starts what starts with the machine", async () => {
    run("s1", ["--restart", "unless-stopped"], "sleep", "100");
    run("s2", ["--restart", "unless-stopped"], "sleep", "100");
    run("s3", [], "sleep", "100");
    store.ok("stop", "-t", "0", "s2");
    expect(store.ok("system", "stop", "-t", "0").split("\n").toSorted()).toEqual(["s1", "s3"]);
    expect(store.ok("ps", "-q")).toBe("");
    await until("no process is left", () => processes(store.root).length === 0);
    expect(store.ok("system", "start")).toBe("s1");
    expect(store.ok("ps", "--format", "{{.Names}}")).toBe("s1");
    store.ok("rm", "-f", "s1", "s2", "s3");
  });

  it("a container that somebody paused for his work goes on when he is killed", async () => {
    const id = run("h1", [], "sleep", "100");
    const state = (): string => store.ok("inspect", "-f", "{{.State.Status}}", "h1");
    const held = await control(dir(id));
    await held.pauseHeld();
    expect(state()).toBe("paused");
    held.close();
    await until("it goes on", () => state() === "running");
    store.ok("rm", "-f", "h1");
  });

  it("a copy, a look at processes and a prune are events", () => {
    const id = run("c1", [], "sleep", "100");
    store.ok("cp", "c1:/etc/passwd", "-");
    store.ok("cp", import.meta.filename, "c1:/tmp");
    store.ok("top", "c1", "-o", "pid");
    expect(eventsOf(id).slice(-3)).toEqual(["archive-path", "extract-to-dir", "top"]);
    store.ok("rm", "-f", "c1");
    store.ok("container", "prune", "-f");
    expect(
      store.ok(
        "events",
        "--since",
        "0",
        "--until",
        "0s",
        "-f",
        "event=prune",
        "--format",
        "{{.Type}} {{.Actor.Attributes.reclaimed}}",
      ),
    ).toMatch(/^container \d+$/);
  });
});
