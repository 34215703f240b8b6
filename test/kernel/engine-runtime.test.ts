// A container that runc makes (`--runtime`) lives as any other: log, exec, pause, limits, files, restart, and an end after a crash.
import { existsSync, readFileSync, readdirSync, rmSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { needs } from "../support/facts.ts";
import { LapStore, nothingLeft } from "../support/lap.ts";
import { ended, isAlive, parentOf } from "../support/processes.ts";
import { soon, until } from "../support/until.ts";

const RUNC = ["--runtime", "runc", "--network", "none"];
const TICKS = "trap 'echo term; exit 3' TERM; while :; do echo tick; sleep 0.1; done";

needs("root", "overlayfs", "native", "command:runc").describe("a container of another runtime", () => {
  let store: LapStore;
  beforeAll(() => {
    store = new LapStore();
    store.loadPrograms();
  });
  afterAll(() => store.close());

  const field = (name: string, path: string): string => store.ok("inspect", "-f", `{{.${path}}}`, name);
  const lines = (name: string): number => store.ok("logs", name).split("\n").length;

  it("lives as any other", async () => {
    store.ok("run", "-d", "--name", "life", ...RUNC, "progs:1", "sh", "-c", TICKS);
    expect(field("life", "HostConfig.Runtime")).toBe("runc");
    await soon(() => expect(store.ok("logs", "life")).toContain("tick"));
    const exec = store.run(
      ["exec", "-i", "-e", "A=b", "-u", "bob", "life", "sh", "-c", "cat; echo $A; id -u; exit 5"],
      {
        input: "in ",
      },
    );
    expect([exec.code, exec.stdout]).toEqual([5, "in b\n1000\n"]);
    expect(store.run(["exec", "life", "nowhere"]).code).toBe(127);
    expect(store.ok("top", "life", "-o", "pid,args")).toContain("tick");
    expect(store.ok("stats", "--no-stream", "--format", "{{.PIDs}}", "life")).toMatch(/^[1-9]/);
    store.ok("pause", "life");
    expect(store.ok("ps", "--format", "{{.Status}}")).toContain("(Paused)");
    // What it wrote last may be on its way; then nothing comes any more.
    await soon(() => expect(lines("life")).toBe(lines("life")));
    const before = lines("life");
    store.ok("unpause", "life");
    await soon(() => expect(lines("life")).toBeGreaterThan(before));
    store.ok("exec", "life", "sh", "-c", "echo 1 > /new; rm /data/file");
    expect(store.ok("diff", "life").split("\n").toSorted()).toEqual(["A /new", "C /data", "D /data/file"]);
    writeFileSync(join(store.folder, "in"), "2");
    store.ok("cp", join(store.folder, "in"), "life:/in");
    store.ok("commit", "life", "life:1");
    store.ok("stop", "life");
    expect(field("life", "State.ExitCode")).toBe("3");
    store.ok("start", "life");
    expect(store.ok("exec", "life", "cat", "/new", "/in")).toBe("1\n2");
    store.ok("kill", "life");
    expect(field("life", "State.ExitCode")).toBe("137");
    store.ok("rm", "life");
    expect(store.ok("run", "--rm", ...RUNC, "life:1", "sh", "-c", "cat /new; ls /data")).toBe(
      "1\nbadscript\nnoexec\nsub",
    );
  });

  it("has a limit that update changes, and is killed for memory", () => {
    store.ok("run", "-d", "--name", "fat", ...RUNC, "-m", "64m", "progs:1", "sleep", "100");
    store.ok("update", "-m", "32m", "--memory-swap", "32m", "fat");
    expect(store.ok("stats", "--no-stream", "--format", "{{.MemUsage}}", "fat")).toContain("/ 32MiB");
    store.ok("rm", "-f", "fat");
    const hog = ["dd", "if=/dev/zero", "of=/dev/shm/x", "bs=1M", "count=60"];
    store.run(["run", "--name", "oom", ...RUNC, "-m", "16m", "--memory-swap", "16m", "progs:1", ...hog]);
    expect([field("oom", "State.OOMKilled"), field("oom", "State.ExitCode")]).toEqual(["true", "137"]);
    store.ok("rm", "oom");
  });

  it("leaves no cgroup below another parent either", async () => {
    for (const runtime of ["runc", "lapstrake"]) {
      const flags = ["--network", "none", "--cgroup-parent", `/lap-parent-${process.pid}`, "--runtime", runtime];
      store.ok("run", "--rm", ...flags, "progs:1", "true");
    }
    const parents = readdirSync("/sys/fs/cgroup")
      .map((name) => join("/sys/fs/cgroup", name, `lap-parent-${process.pid}`))
      .filter((parent) => existsSync(parent));
    // A cgroup that still has another in it cannot be removed.
    for (const parent of parents) await soon(() => rmdirSync(parent));
    expect(parents.length).toBeGreaterThan(0);
  });

  it("has its terminal, in run and exec", () => {
    const tty = (...words: string[]): string =>
      store.ok("run", "-t", "--rm", ...RUNC, "progs:1", ...words).replaceAll("\r", "");
    expect(tty("sh", "-c", "tty; stat -c %F /dev/console")).toBe("/dev/pts/0\ncharacter special file");
    store.ok("run", "-dt", "--name", "term", ...RUNC, "progs:1", "sleep", "100");
    expect(store.ok("exec", "-t", "term", "tty")).toMatch(/^\/dev\/pts\/\d/);
    store.ok("rm", "-f", "term");
  });

  it("starts again by its policy, also when its supervisor was killed", async () => {
    const id = store.ok("run", "-d", "--name", "again", "--restart", "always", ...RUNC, "progs:1", "sleep", "100");
    const pid = Number(field("again", "State.Pid"));
    process.kill(parentOf(pid), "SIGKILL");
    await until("another process", () => {
      const now = Number(field("again", "State.Pid"));
      return now !== 0 && now !== pid && field("again", "State.Running") === "true";
    });
    expect(isAlive(pid)).toBe(false);
    store.ok("rm", "-f", id);
  });

  it("is gone when its supervisor was killed, and leaves nothing", async () => {
    const id = store.ok("run", "-d", "--rm", ...RUNC, "progs:1", "sh", "-c", "sleep 100 & sleep 100");
    const pid = Number(field(id, "State.Pid"));
    process.kill(parentOf(pid), "SIGKILL");
    // Nobody looks: a guard waits beside the supervisor.
    await until("its process is gone", () => !isAlive(pid));
    await nothingLeft(id);
    await until("its directory is gone", () => !readdirSync(join(store.root, "containers")).includes(id));
  });

  it("outlives its client, and starts after a start that was killed anywhere", async () => {
    for (const afterMs of [40, 90, 140, 200]) {
      const client = store.spawn(["run", "--name", "cut", ...RUNC, "progs:1", "sleep", "100"]);
      await new Promise((resolve) => setTimeout(resolve, afterMs));
      client.kill("SIGKILL");
      await ended(client);
      if (store.run(["inspect", "cut"]).code !== 0) continue;
      if (field("cut", "State.Running") !== "true") store.run(["start", "cut"]);
      await soon(() => expect(field("cut", "State.Running")).toBe("true"));
      store.ok("rm", "-f", "cut");
    }
    expect(readdirSync(join(store.root, "containers"))).toEqual([]);
  });

  it("leaves no process that waits, when client and supervisor were killed between create and start", async () => {
    const [made, slow] = [join(store.folder, "made"), join(store.folder, "slow")];
    const wait = `case " $* " in *" create "*) [ -e ${made} ] || { : > ${made}; sleep 20; };; esac`;
    writeFileSync(slow, `#!/bin/sh\nrunc "$@"; code=$?; ${wait}; exit $code\n`, { mode: 0o755 });
    for (const verb of ["start", "rm"]) {
      const flags = ["--name", "half", "--runtime", slow, "--network", "none"];
      const client = store.spawn(["run", ...flags, "progs:1", "sleep", "100"]);
      await until("it is made", () => existsSync(made));
      const dir = join(store.root, "containers", field("half", "Id"));
      const waiting = Number(readFileSync(join(dir, "runtime.pid"), "utf8"));
      const supervisor = parentOf(waiting);
      client.kill("SIGKILL");
      process.kill(supervisor, "SIGKILL");
      await ended(client);
      expect(isAlive(waiting)).toBe(true);
      store.ok(verb, "half");
      await until("it waits no more", () => !isAlive(waiting));
      if (verb === "start") expect(field("half", "State.Running")).toBe("true");
      store.run(["rm", "-f", "half"]);
      rmSync(made);
    }
  });

  it("is refused by a name that says nothing, for Wasm, and when nothing of the kind is there", () => {
    const refusal = (...flags: string[]): string => store.run(["create", ...flags, "progs:1"]).stderr;
    expect(refusal("--runtime", "kata")).toContain("unknown or invalid runtime name: kata");
    expect(refusal("--runtime", "/nowhere/runc")).toContain("is not a program that can be run");
    expect(store.ok("create", "--name", "own", "--runtime", "lap-runtime", "progs:1")).toHaveLength(64);
    expect(field("own", "HostConfig.Runtime")).toBe("lapstrake");
    store.ok("rm", "own");
  });
});
