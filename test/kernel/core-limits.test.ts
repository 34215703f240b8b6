// Limits bind, pause stops, exec joins: what the supervisor and the cgroups do with a running container.
import { existsSync } from "node:fs";
import { loadavg } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, describe, expect, test } from "vitest";
import type { ResourcesSpec, RuntimeSpec } from "@lapstrake/base";
import { attach, cgroupStats, control, hostFacts, observeStatus, readStatus, updateResources } from "@lapstrake/core";
import { collect, finish, leftoverCgroups, missing, run, TestContainer } from "./core-harness.ts";
import { titleUnless } from "../support/facts.ts";
import { isAlive } from "../support/processes.ts";
import { soon, until } from "../support/until.ts";

/** The qemu machine has its two processors for itself. */
const inMachine = process.env["LAP_MACHINE"] !== undefined;
const controllers = new Set(hostFacts().cgroups.flatMap((mount) => mount.controllers));

function limited(resources: ResourcesSpec): (spec: RuntimeSpec) => RuntimeSpec {
  return (spec) => ({ ...spec, linux: { ...spec.linux, resources: { ...spec.linux?.resources, ...resources } } });
}

function lacks(name: string): boolean {
  return !controllers.has(name);
}

describe.skipIf(missing !== undefined)(`core limits${missing === undefined ? "" : ` (skipped: ${missing})`}`, () => {
  afterAll(() => soon(() => expect(leftoverCgroups()).toEqual([])));

  test.skipIf(lacks("memory"))(
    titleUnless(lacks("memory"), "cgroup.memory", "memory: the OOM killer ends it and says so"),
    async () => {
      const { status } = await run(
        ["sh", "-c", "head -c 200000000 /dev/zero | tail > /dev/null; exit $?"],
        limited({ memory: { limit: 32 << 20, swap: 32 << 20 } }),
      );
      expect(status.oomKilled).toBe(true);
      expect(status.exitCode).toBe(137);
    },
  );

  test.skipIf(lacks("memory"))(
    titleUnless(lacks("memory"), "cgroup.memory", "memory: a kill is known while the container runs on"),
    async () => {
      using container = new TestContainer(
        ["sh", "-c", "(head -c 200000000 /dev/zero | tail > /dev/null); echo killed; sleep 100"],
        limited({ memory: { limit: 32 << 20, swap: 32 << 20 } }),
      );
      const launched = await container.start();
      launched.attachment!.stderr.resume();
      await new Promise((resolve) => launched.attachment!.stdout.once("data", resolve));
      await soon(() => expect(readStatus(container.containerDir)).toMatchObject({ state: "running", oomKilled: true }));
      expect(cgroupStats(undefined, container.id).oomKills).toBeGreaterThan(0);
      expect(cgroupStats(undefined, container.id).memory.usage.max).toBeGreaterThan(30 << 20);
      launched.attachment!.signal(9);
      expect(await launched.attachment!.exited).toMatchObject({ exitCode: 137, oomKilled: true });
    },
  );

  const hasV2Memory = hostFacts().cgroups.some(
    ({ version, controllers: names }) => version === 2 && names.includes("memory"),
  );
  test.skipIf(!hasV2Memory)(
    titleUnless(!hasV2Memory, "cgroup v2 memory", "memory.oom.group: one kill ends the whole container"),
    async () => {
      const { status, stdout } = await run(
        ["sh", "-c", "(head -c 200000000 /dev/zero | tail > /dev/null); echo survived"],
        limited({ memory: { limit: 32 << 20, swap: 32 << 20 }, unified: { "memory.oom.group": "1" } }),
      );
      expect(stdout).toBe("");
      expect(status).toMatchObject({ exitCode: 137, oomKilled: true });
    },
  );

  test.skipIf(lacks("cpuset"))(
    titleUnless(lacks("cpuset"), "cgroup.cpuset", "cpuset: it runs where it may"),
    async () => {
      const { stdout } = await run(
        ["sh", "-c", "grep Cpus_allowed_list /proc/self/status; taskset -p 3 $$ >/dev/null 2>&1; nproc"],
        limited({ cpu: { cpus: "1" } }),
      );
      expect(stdout).toBe("Cpus_allowed_list:\t1\n1\n");
    },
  );

  test.skipIf(lacks("pids"))(titleUnless(lacks("pids"), "cgroup.pids", "pids: a fork bomb is stopped"), async () => {
    const script = "i=0; while [ $i -lt 40 ]; do sleep 1 & i=$((i+1)); done; wait";
    const { stderr } = await run(["sh", "-c", script], limited({ pids: { limit: 20 } }));
    expect(stderr).toMatch(/fork/i);
  });

  test.skipIf(lacks("cpu"))(
    titleUnless(lacks("cpu"), "cgroup.cpu", "cpu: a busy loop limited to 20 % uses 20 % ± 2"),
    async () => {
      // Inside, so that nothing of the start counts: "time usage" before and after, in nanoseconds.
      const now =
        "u=$(cat /sys/fs/cgroup/cpuacct/cpuacct.usage 2>/dev/null || awk '/^usage_usec/{print $2*1000}' /sys/fs/cgroup/cpu.stat); echo $(date +%s%N) $u";
      const script = `${now}; end=$(($(date +%s%N) + 4000000000)); while [ $(date +%s%N) -lt $end ]; do :; done; ${now}; cat /sys/fs/cgroup/cpu/cpu.stat 2>/dev/null || cat /sys/fs/cgroup/cpu.stat`;
      const { stdout } = await run(["sh", "-c", script], limited({ cpu: { quota: 20_000, period: 100_000 } }));
      const [first, last] = stdout.split("\n").map((line) => line.split(" ").map(Number));
      const share = (last![1]! - first![1]!) / (last![0]! - first![0]!);
      expect(share).toBeLessThan(0.22);
      // On a busy machine it may get less than its share, and is stopped only where it got that.
      if (loadavg()[0]! < 1.5 || inMachine) expect(share).toBeGreaterThan(0.18);
      if (share > 0.18) expect(Number(/nr_throttled (\d+)/.exec(stdout)![1])).toBeGreaterThan(10);
    },
  );

  test("devices: what is not allowed is denied", async () => {
    const { stderr, stdout } = await run(
      [
        "sh",
        "-c",
        "mknod /dev/kmsg c 1 11 && cat /dev/kmsg | head -1; head -c 3 /dev/zero | wc -c; cat /dev/full | head -c 1 | wc -c",
      ],
      (spec) => spec,
    );
    expect(stderr).toContain("Operation not permitted");
    expect(stdout).toBe("3\n1\n");
  });

  test("a limit that the host cannot hold is refused by name", async () => {
    const name = ["rdma", "net_cls", "hugetlb"].find((one) => !controllers.has(one));
    if (name === undefined) return;
    const blocks: Record<string, ResourcesSpec> = {
      rdma: { rdma: { mlx5: { hcaHandles: 1 } } },
      net_cls: { network: { classID: 5 } },
      hugetlb: { hugepageLimits: [{ pageSize: "2MB", limit: 0 }] },
    };
    await expect(run(["true"], limited(blocks[name]!))).rejects.toMatchObject({ code: "ERR_LAP_CGROUP_CONTROLLER" });
  });

  test.skipIf(lacks("pids"))(
    titleUnless(lacks("pids"), "cgroup.pids", "update changes limits of a running container"),
    async () => {
      using container = new TestContainer(
        ["sh", "-c", "read x; cat /sys/fs/cgroup/pids/pids.max 2>/dev/null || cat /sys/fs/cgroup/pids.max"],
        limited({ pids: { limit: 20 } }),
      );
      const launched = await container.start({ openStdin: true, stdinOnce: true });
      updateResources(undefined, container.id, { pids: { limit: 33 }, memory: { limit: 64 << 20, swap: 128 << 20 } });
      updateResources(undefined, container.id, { memory: { limit: 256 << 20, swap: 256 << 20 } });
      launched.attachment!.endStdin();
      expect((await finish(launched)).stdout).toBe("33\n");
    },
  );

  test("pause stops it, resume goes on, kill works while paused", async () => {
    using container = new TestContainer(["sh", "-c", "while :; do echo x; sleep 0.01; done"]);
    const launched = await container.start();
    await using link = await control(container.containerDir);
    let seen = 0;
    launched.attachment!.stdout.on("data", () => seen++);
    launched.attachment!.stderr.resume();
    await link.pause();
    expect(readStatus(container.containerDir)?.state).toBe("paused");
    await expect(link.pause()).rejects.toMatchObject({ code: "ERR_LAP_STATE" });
    // What was on its way arrives; then nothing does.
    await soon(async () => {
      const before = seen;
      await sleep(150);
      expect(seen).toBe(before);
    });
    const before = seen;
    await link.resume();
    await until("it goes on", () => seen > before);
    await link.pause();
    await link.signal(9);
    expect((await link.wait()).exitCode).toBe(137);
  });

  test("exec joins every namespace and cgroup, has its own exit code", async () => {
    using container = new TestContainer(["sleep", "100"]);
    const launched = await container.start();
    const since = readStatus(container.containerDir)!.pidStartTime;
    const script =
      'hostname; for n in ipc mnt net pid uts cgroup; do [ "$(readlink /proc/1/ns/$n)" = "$(readlink /proc/self/ns/$n)" ] || echo differs $n; done; cat /proc/self/cgroup | grep -v \':/$\'; ls /proc/self/fd | wc -l; exit 7';
    const first = await finish(await container.exec({ args: ["sh", "-c", script] }, since));
    expect(first).toMatchObject({ stdout: "box\n4\n", stderr: "", status: { exitCode: 7 } });
    await expect(container.exec({ args: ["nosuch"] }, since)).rejects.toMatchObject({ code: "ERR_LAP_EXEC_NOT_FOUND" });
    await expect(container.exec({ args: ["true"] }, since + 1)).rejects.toMatchObject({ code: "ERR_LAP_LAUNCH" });
    launched.attachment!.signal(9);
    await finish(launched);
  });

  test("exec with a pty of the container", async () => {
    using container = new TestContainer(["sleep", "100"]);
    await container.start();
    const since = readStatus(container.containerDir)!.pidStartTime;
    const second = await container.exec({ args: ["sh", "-c", "tty; stty size"] }, since, {
      stdio: "pty",
      ttySize: { rows: 5, cols: 6 },
    });
    expect((await finish(second)).stdout).toBe("/dev/pts/0\r\n5 6\r\n");
    container.launched!.attachment!.signal(9);
    await finish(container.launched!);
  });

  test("a second client attaches, sees output and the end", async () => {
    using container = new TestContainer(["sh", "-c", "read x; echo got $x; exit 3"]);
    const launched = await container.start({ openStdin: true, initialClient: false, foreground: false });
    expect(launched.attachment).toBeUndefined();
    const attachment = await attach(container.containerDir, { stdin: true, stdout: true, stderr: true });
    const output = collect(attachment.stdout);
    await attachment.writeStdin(Buffer.from("word\n"));
    expect((await attachment.exited).exitCode).toBe(3);
    expect(await output).toBe("got word\n");
  });

  test("kill -9 of the client changes nothing; the reaper runs at the end", async () => {
    using container = new TestContainer(["sh", "-c", "sleep 0.3; exit 9"]);
    const mark = `${container.dir}/reaped`;
    const launched = await container.start({ reapArgv: ["/bin/sh", "-c", `echo $0 > ${mark}`, container.id] });
    launched.attachment!.detach();
    await until("reaped", () => existsSync(mark));
    expect(readStatus(container.containerDir)).toMatchObject({ state: "exited", exitCode: 9 });
  });

  test("kill -9 of the supervisor ends the container as 137, supervisorLost", async () => {
    using container = new TestContainer(["sleep", "100"]);
    const launched = await container.start();
    process.kill(launched.supervisorPid, "SIGKILL");
    expect(await launched.attachment!.exited).toMatchObject({ exitCode: 137, supervisorLost: true });
    await until("it is gone", () => !isAlive(launched.pid));
    expect(observeStatus(container.containerDir)).toMatchObject({
      state: "exited",
      exitCode: 137,
      supervisorLost: true,
    });
  });
});
