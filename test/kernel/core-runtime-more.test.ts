// lap-runtime beside the life of a container: events, sub-cgroups and pidfds of an exec.
import { spawn, spawnSync, type ChildProcessWithoutNullStreams } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, expect, test } from "vitest";
import { hostFacts, startTime } from "@lapstrake/core";
import { needs, titleUnless } from "../support/facts.ts";
import { soon, until } from "../support/until.ts";
import { Bundle, newId, spec } from "./core-bundle.ts";

const PROGRAMS = ["/bin/sh", "/bin/sleep", "/bin/cat", "/usr/bin/head", "/usr/bin/tail"];
const SIGTERM = 15;

let bundle: Bundle;

const isAlive = (pid: number): boolean => startTime(pid) !== undefined;
const pidOf = (id: string): number => (JSON.parse(bundle.lap("state", id).stdout) as { pid: number }).pid;

interface Event {
  readonly type: string;
  readonly id: string;
  readonly data?: {
    readonly cpu: { readonly usage: { readonly total: number } };
    readonly memory: { readonly usage: { readonly usage: number; readonly limit: number } };
    readonly pids: { readonly current: number };
  };
}

/** The events of a container as they come; the command ends with the container. */
function follow(
  id: string,
  ...options: string[]
): { readonly seen: Event[]; readonly child: ChildProcessWithoutNullStreams } {
  const [program, ...words] = bundle.command("events", ...options, id);
  const child = spawn(program, words);
  const seen: Event[] = [];
  createInterface({ input: child.stdout }).on("line", (line) => seen.push(JSON.parse(line) as Event));
  return { seen, child };
}

needs("root", "native").describe("lap-runtime, more", () => {
  beforeEach(() => {
    bundle = new Bundle(PROGRAMS);
  });
  afterEach(() => bundle.end());

  const hasMemory = hostFacts().cgroups.some(({ controllers }) => controllers.includes("memory"));
  test.skipIf(!hasMemory)(
    titleUnless(!hasMemory, "cgroup.memory", "events: figures every interval, and a kill when it happens"),
    async () => {
      const limit = 32 << 20;
      const linux = { ...spec([]).linux, resources: { memory: { limit, swap: limit } } };
      const id = bundle.start(spec(["sleep", "100"], { linux }));
      const { seen, child } = follow(id, "--interval", "50ms");
      await until("figures", () => seen.some(({ type }) => type === "stats"));
      bundle.lapDetached("exec", "--detach", id, "sh", "-c", "head -c 200000000 /dev/zero | tail > /dev/null");
      await until("a kill is told", () => seen.some(({ type }) => type === "oom"));
      expect(seen.find(({ type }) => type === "oom")).toEqual({ type: "oom", id });
      expect(seen[0]!.data!.memory.usage).toMatchObject({ limit, usage: expect.any(Number) as number });
      expect(seen[0]!.data!.cpu.usage.total).toBeGreaterThan(0);
      expect(bundle.lap("kill", id, "9").code).toBe(0);
      const [code] = (await once(child, "exit")) as [number];
      expect(code).toBe(0);
      const last = JSON.parse(bundle.lap("list", "--format", "json").stdout) as { status: string }[];
      expect(last[0]!.status).toBe("stopped");
    },
  );

  test("events --stats: one document", () => {
    const id = bundle.start(spec(["sleep", "100"]));
    const { stdout } = bundle.lap("events", "--stats", id);
    const event = JSON.parse(stdout) as Event;
    expect([event.type, event.id]).toEqual(["stats", id]);
    expect(event.data!.pids.current).toBeGreaterThan(0);
    expect(bundle.lap("events", "--interval", "0s", id)).toMatchObject({ code: 1 });
  });

  // On v1 any hierarchy will do; on v2 there is one.
  const v1 = hostFacts().cgroups.find(
    ({ controllers }) => controllers.includes("pids") || controllers.includes("memory"),
  );
  const group = hostFacts().cgroupMode === "v2" ? hostFacts().cgroups[0] : v1;
  test.skipIf(group === undefined)(
    titleUnless(group === undefined, "cgroup.pids", "exec --cgroup joins a sub-group, and refuses what leads out"),
    async () => {
      const id = bundle.start(spec(["sleep", "100"]));
      const sub = join(group!.mountPoint, "lapstrake", id, "sub");
      const word = group!.version === 2 ? "sub" : `${group!.controllers[0]!}:sub`;
      mkdirSync(sub);
      try {
        const { stdout, stderr } = bundle.lap("exec", "--cgroup", word, id, "cat", "/proc/self/cgroup");
        expect(stdout + stderr).toMatch(group!.version === 2 ? /^0::\/sub$/m : /:\/sub$/m);
        const lines = stdout.split("\n").filter((line) => line.endsWith(":/sub"));
        expect(lines).toHaveLength(1);
      } finally {
        await soon(() => rmdirSync(sub));
      }
      const wrong = bundle.lap("exec", "--cgroup", word.replace("sub", "../x"), id, "cat");
      expect(wrong).toMatchObject({ code: 255, stderr: expect.stringContaining("not a sub cgroup path") as string });
      const none = bundle.lap("exec", "--cgroup", word, id, "cat");
      expect(none).toMatchObject({ code: 255, stderr: expect.stringContaining("sub") as string });
    },
  );

  needs("command:gcc").test("--pidfd-socket of create, run and exec hands over the process", async () => {
    const taker = join(bundle.dir, "taker");
    const source = join(import.meta.dirname, "core-pidfd-taker.c");
    expect(spawnSync("gcc", ["-O1", "-o", taker, source], { timeout: 60_000 }).status).toBe(0);
    const socket = join(bundle.dir, "pidfd.sock");
    const giveBy = async (start: () => number): Promise<void> => {
      const child = spawn(taker, [socket, String(SIGTERM)]);
      let told = "";
      child.stdout.on("data", (chunk: Buffer) => (told += chunk.toString()));
      await until("the taker listens", () => told.includes("listening"));
      const pid = start();
      await until("it has the pidfd", () => told.includes("taken"));
      expect(isAlive(pid)).toBe(true);
      child.stdin.end();
      const [code] = (await once(child, "exit")) as [number];
      expect(code).toBe(0);
      await until("the process has ended", () => !isAlive(pid));
      spawnSync("rm", [socket]);
    };
    const script = ["sh", "-c", "trap 'exit 0' TERM; while :; do sleep 0.05; done"];
    bundle.writeConfig(spec(script));
    const id = newId();
    bundle.ids.push(id);
    await giveBy(() => {
      expect(bundle.lapDetached("run", "--detach", "--bundle", bundle.dir, "--pidfd-socket", socket, id)).toBe(0);
      return pidOf(id);
    });
    const other = bundle.start(spec(["sleep", "100"]));
    await giveBy(() => {
      const file = join(bundle.dir, "pid");
      const flags = ["--detach", "--pid-file", file, "--pidfd-socket", socket];
      expect(bundle.lapDetached("exec", ...flags, other, ...script)).toBe(0);
      return Number(readFileSync(file, "utf8"));
    });
    expect(isAlive(pidOf(other))).toBe(true);
    const missing = newId();
    bundle.writeConfig(spec(["sleep", "100"]));
    const refused = bundle.lap("create", "--bundle", bundle.dir, "--pidfd-socket", socket, missing);
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining("pidfd") as string });
    await bundle.nothingLeft(missing);
  });
});
