// lap-runtime beside the life of a container: events, sub-cgroups and pidfds of an exec, network devices of the host.
import { spawn, spawnSync, type ChildProcessWithoutNullStreams } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, readlinkSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { RuntimeSpec } from "@lapstrake/base";
import { hostFacts, startTime } from "@lapstrake/core";
import { needs, titleUnless } from "../support/facts.ts";
import { soon, until } from "../support/until.ts";
import { Bundle, newId, spec } from "./core-bundle.ts";

const PROGRAMS = ["/bin/sh", "/bin/sleep", "/bin/cat", "/usr/bin/head", "/usr/bin/tail"];
const SIGTERM = 15;

let bundle: Bundle;
let ids: string[] = [];

function started(config: RuntimeSpec): string {
  const id = bundle.start(config);
  ids.push(id);
  return id;
}

function netOf(pid: number | "self"): string {
  try {
    return readlinkSync(`/proc/${pid}/ns/net`);
  } catch {
    return ""; // not yet, or no longer
  }
}

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
    ids = [];
  });
  afterEach(async () => {
    for (const id of ids) bundle.lap("delete", "--force", id);
    for (const id of ids) await bundle.nothingLeft(id);
    bundle[Symbol.dispose]();
  });

  const hasMemory = hostFacts().cgroups.some(({ controllers }) => controllers.includes("memory"));
  test.skipIf(!hasMemory)(
    titleUnless(!hasMemory, "cgroup.memory", "events: figures every interval, and a kill when it happens"),
    async () => {
      const limit = 32 << 20;
      const linux = { ...spec([]).linux, resources: { memory: { limit, swap: limit } } };
      const id = started(spec(["sleep", "100"], { linux }));
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
    const id = started(spec(["sleep", "100"]));
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
      const id = started(spec(["sleep", "100"]));
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
    ids.push(id);
    await giveBy(() => {
      expect(bundle.lapDetached("run", "--detach", "--bundle", bundle.dir, "--pidfd-socket", socket, id)).toBe(0);
      return pidOf(id);
    });
    const other = started(spec(["sleep", "100"]));
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

  needs("command:unshare").test(
    "a user namespace, new or joined, beside a network namespace of the machine's",
    async () => {
      const ids = [{ containerID: 0, hostID: 100_000, size: 65_536 }];
      // Only the owner of a network namespace may mount its sysfs.
      const base = spec(["sleep", "100"]);
      const mounts = base.mounts!.filter(({ type }) => type !== "sysfs" && type !== "cgroup");
      const others = base.linux!.namespaces!.filter(({ type }) => type !== "network");
      const foreign = spawn("unshare", ["--net", "sleep", "100"]);
      try {
        await until("it has a namespace", () => netOf("self") !== netOf(foreign.pid!) && netOf(foreign.pid!) !== "");
        const network = { type: "network" as const, path: `/proc/${foreign.pid!}/ns/net` };
        const config = (args: readonly string[], user: { type: "user"; path?: string }, own: object): RuntimeSpec => {
          const linux = { ...base.linux, ...own, namespaces: [...others, network, user] };
          return { ...spec(args, { mounts }), linux: { ...linux, maskedPaths: [], readonlyPaths: [] } };
        };
        const first = started(config(["sleep", "100"], { type: "user" }, { uidMappings: ids, gidMappings: ids }));
        const pid = pidOf(first);
        expect(netOf(pid)).toBe(netOf(foreign.pid!));
        const second = started(config(["sleep", "100"], { type: "user", path: `/proc/${pid}/ns/user` }, {}));
        expect(netOf(pidOf(second))).toBe(netOf(foreign.pid!));
        expect(bundle.lap("exec", second, "cat", "/proc/self/uid_map").stdout).toMatch(/^\s*0\s+100000\s+65536\n$/);
      } finally {
        foreign.kill("SIGKILL");
      }
    },
  );

  // In a network namespace of the test's own, which is the machine's for this runtime.
  needs("command:ip", "command:unshare").test(
    "netDevices: moved, renamed, with their addresses; as they were when the start fails",
    () => {
      const config = (
        args: readonly string[],
        netDevices: NonNullable<RuntimeSpec["linux"]>["netDevices"],
      ): RuntimeSpec => {
        const base = spec(args);
        return { ...base, linux: { ...base.linux, netDevices: netDevices! } };
      };
      const setup =
        "ip link add lapd0 type veth peer name lapd1 && ip addr add 10.9.8.7/24 brd 10.9.8.99 dev lapd0 && ip addr add fd00:9::7/64 dev lapd0 nodad && ip link set lapd0 mtu 1400 up";
      const inOwn = (script: string, ...words: string[]): string => {
        const args = ["--net", "sh", "-c", `${setup} && ${script}`, "sh", ...words];
        const { stdout, stderr } = spawnSync("unshare", args, { encoding: "utf8", timeout: 30_000 });
        return stdout + stderr;
      };
      const look = "cat /sys/class/net/data0/mtu /proc/net/if_inet6 /proc/net/fib_trie; cat /sys/class/net/data0/flags";
      const run = (): string[] => {
        const id = newId();
        return bundle.command("run", "--bundle", bundle.dir, id);
      };
      bundle.writeConfig(config(["sh", "-c", look], { lapd0: { name: "data%d" } }));
      const seen = inOwn('"$@"; ip -o link show lapd0', ...run());
      expect(seen).toMatch(/^1400\n/);
      expect(seen).toMatch(/^fd000009000000000000000000000007 .* data0$/m);
      expect(seen).toContain("10.9.8.7");
      expect(seen).toMatch(/^0x1\d\d3$/m);
      expect(seen).toContain('"lapd0" does not exist');
      bundle.writeConfig(config(["nosuch"], { lapd0: { name: "data0" } }));
      const after = inOwn('"$@"; ip -o addr show lapd0; ip -o link show lapd0', ...run());
      expect(after).toContain("executable file not found");
      expect(after).toContain("inet 10.9.8.7/24 brd 10.9.8.99 ");
      expect(after).toContain("inet6 fd00:9::7/64");
      expect(after).toMatch(/<.*\bUP\b.*> mtu 1400 /);
      bundle.writeConfig(config(["sleep", "1"], { lapd0: { name: "lo" } }));
      expect(inOwn('"$@"; ip -o link show lapd0', ...run())).toMatch(/: lapd0@.*has a device "lo" already/s);
      bundle.writeConfig(config(["sleep", "1"], { lapd9: {} }));
      expect(inOwn('"$@"', ...run())).toContain("linux.netDevices.lapd9: there is no such device");
      expect(existsSync(join(bundle.dir, "state", newId()))).toBe(false);
    },
  );
});
