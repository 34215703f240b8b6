// 200 lives of every kind, some cut off at random instants, leave nothing: no process, mount, cgroup, descriptor or file.
import { readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import { hostFacts, observeStatus } from "@lapstrake/core";
import { needs } from "../support/facts.ts";
import { processes } from "../support/processes.ts";
import { soon } from "../support/until.ts";
import { finish, leftoverCgroups, TestContainer } from "./core-harness.ts";

const CYCLES = 200;
const AT_ONCE = 4;

const helpers = (): number[] => processes(`core-test-${process.pid}-`);

/** Folders of such containers in /tmp, and mounts in them: an earlier test may have been killed there. */
function traces(): string[] {
  const mounts = readFileSync("/proc/self/mountinfo", "utf8").split("\n");
  return [
    ...readdirSync(tmpdir()).filter((name) => name.startsWith("lap-core-")),
    ...mounts.filter((line) => line.includes(`${tmpdir()}/lap-core-`)),
  ];
}

function descriptors(): number {
  return readdirSync("/proc/self/fd").length;
}

async function killLater(pid: number, ms: number): Promise<void> {
  await sleep(ms);
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    expect((error as { code?: string }).code).toBe("ESRCH");
  }
}

type Life = (random: () => number) => Promise<void>;

const normal: Life = async () => {
  using container = new TestContainer(["true"]);
  expect((await finish(await container.start())).status.exitCode).toBe(0);
};

const failing: Life = async () => {
  using container = new TestContainer(["nosuch"]);
  await expect(container.start()).rejects.toMatchObject({ code: "ERR_LAP_EXEC_NOT_FOUND" });
};

const killed: Life = async (random) => {
  using container = new TestContainer(["sleep", "100"]);
  const launched = await container.start();
  void killLater(launched.pid, random() * 5);
  expect((await finish(launched)).status.exitCode).toBe(137);
};

const supervisorKilled: Life = async (random) => {
  using container = new TestContainer(["sh", "-c", "sleep 100 & sleep 100"]);
  const launched = await container.start();
  void killLater(launched.supervisorPid, random() * 5);
  expect((await finish(launched)).status.supervisorLost).toBe(true);
  expect(observeStatus(container.containerDir)).toMatchObject({ state: "exited", supervisorLost: true });
};

const aborted: Life = async (random) => {
  using container = new TestContainer(["sleep", "0.01"]);
  const signal = AbortSignal.timeout(Math.floor(random() * 6));
  try {
    await finish(await container.start({}, { signal }));
  } catch (error) {
    expect(signal.aborted, String(error)).toBe(true);
  }
};

const detached: Life = async (random) => {
  using container = new TestContainer(["sleep", "0.02"]);
  const launched = await container.start();
  await sleep(random() * 10);
  launched.attachment!.detach();
  await soon(() => expect(observeStatus(container.containerDir)?.state).toBe("exited"));
};

const LIVES: readonly Life[] = [normal, failing, killed, supervisorKilled, aborted, detached];

needs("root", "native").test(
  "200 lives leave nothing",
  async () => {
    let seed = 42;
    const random = (): number => (seed = (seed * 16_807) % 2_147_483_647) / 2_147_483_647;
    await normal(random);
    const before = descriptors();
    const stale = traces();
    const work = Array.from({ length: CYCLES }, (_, index) => LIVES[index % LIVES.length]!);
    const worker = async (): Promise<void> => {
      for (let life = work.pop(); life !== undefined; life = work.pop()) await life(random);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    await soon(() => {
      expect(helpers()).toEqual([]);
      expect(leftoverCgroups()).toEqual([]);
      expect(descriptors()).toBeLessThanOrEqual(before);
      expect(traces().filter((trace) => !stale.includes(trace))).toEqual([]);
    });
    expect(hostFacts().shim).toBeDefined();
  },
  120_000,
);
