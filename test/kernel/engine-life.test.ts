// The life of a container under kill -9: of its client, of its supervisor; and many of them at once.
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { readStatus } from "@lapstrake/core";
import { needs } from "../support/facts.ts";
import { LapStore, nothingLeft } from "../support/lap.ts";
import { containersEver } from "../support/leftovers.ts";
import { ended, isAlive } from "../support/processes.ts";
import { until } from "../support/until.ts";

needs("root", "overlayfs", "native").describe("a container's life", () => {
  let store: LapStore;
  beforeAll(() => {
    store = new LapStore();
    store.loadPrograms();
  });
  afterAll(() => store.close());

  const state = (name: string): string => store.ok("ps", "-a", "--filter", `name=^${name}$`, "--format", "{{.Status}}");
  const dir = (name: string): string =>
    join(store.root, "containers", store.ok("ps", "-a", "-q", "--no-trunc", "--filter", `name=^${name}$`));

  it("runs detached, logs, stops, starts again, and is removed", async () => {
    const id = store.ok("run", "-d", "--name", "d1", "progs:1", "sh", "-c", "echo out; echo err >&2; sleep 100");
    expect(id).toMatch(/^[0-9a-f]{64}$/);
    await until("logged", () => store.run(["logs", "d1"]).stdout === "out\n");
    expect(store.run(["logs", "d1"])).toEqual({ code: 0, stdout: "out\n", stderr: "err\n" });
    expect(state("d1")).toMatch(/^Up /);
    expect(store.run(["rm", "d1"])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("You cannot remove a running container"),
    });
    expect(store.ok("kill", "d1")).toBe("d1");
    expect(store.ok("wait", "d1")).toBe("137");
    expect(state("d1")).toMatch(/^Exited \(137\)/);
    expect(store.run(["kill", "d1"]).stderr).toContain("is not running");
    store.ok("start", "d1");
    await until("second run logged", () => store.run(["logs", "d1"]).stdout === "out\nout\n");
    expect(store.ok("rm", "-f", "d1")).toBe("d1");
    expect(store.ok("ps", "-aq")).toBe("");
  });

  it("stops by the stop signal, and by force after the grace period", async () => {
    store.ok(
      "run",
      "-d",
      "--name",
      "s1",
      "progs:1",
      "sh",
      "-c",
      "trap 'exit 7' TERM; echo ready; while :; do sleep 0.05; done",
    );
    await until("the trap is set", () => store.ok("logs", "s1") === "ready");
    store.ok("stop", "s1");
    expect(state("s1")).toMatch(/^Exited \(7\)/);
    store.ok(
      "run",
      "-d",
      "--name",
      "s2",
      "progs:1",
      "sh",
      "-c",
      "trap '' TERM; echo ready; while :; do sleep 0.05; done",
    );
    await until("the trap is set", () => store.ok("logs", "s2") === "ready");
    store.ok("stop", "-t", "1", "s2");
    expect(state("s2")).toMatch(/^Exited \(137\)/);
    store.ok("rm", "s1", "s2");
  });

  it("survives kill -9 of its client; --rm still removes it at exit", async () => {
    const client = store.spawn([
      "run",
      "--rm",
      "--name",
      "k1",
      "progs:1",
      "sh",
      "-c",
      "while [ ! -e /go ]; do sleep 0.05; done",
    ]);
    await until("running", () => state("k1").startsWith("Up "));
    const folder = dir("k1");
    client.kill("SIGKILL");
    await sleep(300);
    expect(state("k1")).toMatch(/^Up /);
    process.kill(readStatus(folder)!.pid, "SIGKILL");
    await until("removed", () => state("k1") === "");
    await nothingLeft(folder);
  });

  it("ends as 137 supervisorLost when its supervisor is killed", async () => {
    store.ok("run", "-d", "--name", "l1", "progs:1", "sleep", "100");
    const status = readStatus(dir("l1"))!;
    process.kill(status.supervisorPid, "SIGKILL");
    await until("lost", () => state("l1").startsWith("Exited (137)"));
    expect(state("l1")).toContain("supervisorLost");
    await until("dead", () => !isAlive(status.pid));
    expect(store.ok("wait", "l1")).toBe("137");
    store.ok("rm", "l1");
  });

  it("forwards signals of the client", async () => {
    const client = store.spawn([
      "run",
      "--rm",
      "--name",
      "f1",
      "progs:1",
      "sh",
      "-c",
      "trap 'exit 42' USR1; echo ready; while :; do sleep 0.05; done",
    ]);
    await new Promise((resolve) => client.stdout!.once("data", resolve));
    client.kill("SIGUSR1");
    expect(await ended(client)).toBe(42);
  });

  it("keeps names unique under ten creators", async () => {
    const clients = Array.from({ length: 10 }, () => store.spawn(["create", "--name", "same", "progs:1", "true"]));
    const codes = await Promise.all(clients.map(ended));
    expect(codes.toSorted()).toEqual([0, ...Array<number>(9).fill(1)]);
    expect(store.ok("ps", "-aq").split("\n")).toHaveLength(1);
    store.ok("rm", "same");
  });

  it("shows and commits what changed", () => {
    store.ok(
      "run",
      "--name",
      "c1",
      "progs:1",
      "sh",
      "-c",
      "echo a > /a; mkdir /d; echo b > /d/b; rm /data/file; ln -s /a /l; chmod 600 /data/sub/keep",
    );
    const changes = store.ok("diff", "c1").split("\n").toSorted();
    expect(changes).toEqual([
      "A /a",
      "A /d",
      "A /d/b",
      "A /l",
      "C /data",
      "C /data/sub",
      "C /data/sub/keep",
      "D /data/file",
    ]);
    const id = store.ok("commit", "-m", "message", "c1", "mine:1");
    expect(id).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(store.ok("run", "--rm", "mine:1", "sh", "-c", "cat /a /d/b; ls /data; stat -c %a /data/sub/keep")).toBe(
      "a\nb\nbadscript\nnoexec\nsub\n600",
    );
    expect(store.ok("images", "--format", "{{.Repository}}:{{.Tag}}").split("\n").toSorted()).toEqual([
      "mine:1",
      "progs:1",
    ]);
    store.ok("rm", "c1");
    store.ok("rmi", "mine:1");
  });

  it("commits the host image as one layer that runs over host only", () => {
    store.ok(
      "run",
      "--name",
      "h1",
      "host",
      "sh",
      "-c",
      "echo hi > /lap-was-here; rm /etc/hostname.nosuch 2>/dev/null; true",
    );
    expect(store.ok("diff", "h1")).toContain("A /lap-was-here");
    store.ok("commit", "h1", "onhost:1");
    expect(store.ok("run", "--rm", "onhost:1", "cat", "/lap-was-here")).toBe("hi");
    store.ok("rm", "h1");
    store.ok("rmi", "onhost:1");
  });

  it("mounts the layers as separate lower directories", () => {
    const mounts = store.ok("run", "--rm", "progs:1", "cat", "/proc/self/mountinfo");
    const root = mounts.split("\n").find((line) => / \/ \/ /.test(line))!;
    expect(root.match(/lowerdir\+?=/g)!.length + root.split(":").length).toBeGreaterThanOrEqual(3);
  });

  it("leaves nothing after 200 mixed cycles", async () => {
    const one = async (i: number): Promise<void> => {
      const kind = i % 5;
      const args =
        kind === 0
          ? ["run", "--rm", "progs:1", "true"]
          : kind === 1
            ? ["run", "--rm", "progs:1", "nosuchcmd"]
            : kind === 2
              ? ["run", "-d", "--rm", "progs:1", "true"]
              : kind === 3
                ? ["run", "--rm", "progs:1", "sleep", "0.2"]
                : ["run", "--name", `m${i}`, "progs:1", "false"];
      const client = store.spawn(args);
      if (kind === 3) setTimeout(() => client.kill("SIGKILL"), 40 + (i % 7) * 20);
      await ended(client);
      if (kind === 4) store.ok("rm", `m${i}`);
    };
    for (let i = 0; i < 200; i += 4) await Promise.all([one(i), one(i + 1), one(i + 2), one(i + 3)]);
    await until("containers gone", () => store.ok("ps", "-aq") === "");
    await nothingLeft(store.folder, containersEver(store.root));
  });
});
