// Crash safety by injection: each command is killed at each call that changes a disk or the kernel's state
// (strace -e inject). After each kill `system check --repair` leaves nothing to complain of, and a plain retry does the work.
// LAP_CRASH_ALL=1 kills at every call; else at every 29th, others for each scenario.
import { spawnSync, type SpawnSyncReturns } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { env } from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { needs, nativePart } from "../support/facts.ts";
import { LapStore, leftovers } from "../support/lap.ts";
import { SCENARIOS, commandOf, gone, retry, settle, type Scenario } from "../support/scenarios.ts";

const CALLS = [
  "fsync,fdatasync,syncfs,ftruncate",
  "rename,renameat,renameat2,link,linkat,symlink,symlinkat,mkdir,mkdirat,rmdir,unlink,unlinkat",
  "mount,umount2,move_mount,fsmount,open_tree,mount_setattr,pivot_root,setns",
].join(",");
const STEP = env["LAP_CRASH_ALL"] === undefined ? 29 : 1;

needs("root", "overlayfs", "native", "command:strace").describe("killed at any call", () => {
  let store: LapStore;
  beforeAll(() => {
    store = new LapStore();
    store.loadPrograms();
  });
  afterAll(async () => {
    const { folder } = store;
    store[Symbol.dispose]();
    // The keeper and the last reapers leave by themselves.
    const deadline = Date.now() + 15_000;
    while (leftovers(folder).length > 0 && Date.now() < deadline) await sleep(100);
    expect(leftovers(folder)).toEqual([]);
  });

  it.each(SCENARIOS.map((scenario, index) => ({ ...scenario, index })))("$name", async (scenario) => {
    scenario.before(store);
    const points = pointsOf(store, scenario).filter((_, at) => at % STEP === scenario.index % Math.min(STEP, 3));
    expect(points.length).toBeGreaterThan(0);
    for (const [call, nth] of points) {
      scenario.before(store);
      // It may come to fewer calls than last time, when others of the machine's processes were quicker.
      if (!killedAt(store, scenario, call, nth)) continue;
      await settle(store, `${scenario.name}, ${call} ${nth}`);
      const { code, stderr } = await retry(store, scenario);
      if (code !== 0 && scenario.done?.test(stderr) !== true) {
        throw new Error(`retry after ${call} ${nth}: ${stderr}`);
      }
      scenario.after(store);
    }
    gone(store);
    await settle(store, scenario.name);
    expect(readdirSync(join(store.root, "containers"))).toEqual([]);
  });
});

function traced(store: LapStore, scenario: Scenario, options: readonly string[]): SpawnSyncReturns<Buffer> {
  const lap = [nativePart("lap"), "--root", store.root, ...commandOf(store, scenario)];
  // -D: what stays behind of a detached run does not keep us waiting.
  return spawnSync("strace", ["-D", "-f", "-e", `trace=${CALLS}`, ...options, ...lap], {
    timeout: 30_000,
    stdio: "ignore",
    killSignal: "SIGKILL",
  });
}

/** Every call that the command and its helper make: its name, and which of its kind it is for its process. */
function pointsOf(store: LapStore, scenario: Scenario): [call: string, nth: number][] {
  const file = join(store.folder, "trace");
  traced(store, scenario, ["-o", file]);
  const counts = new Map<string, number>();
  const most = new Map<string, number>();
  for (const line of readFileSync(file, "latin1").split("\n")) {
    const [, pid, call] = /^(\d+) +(\w+)\(/.exec(line) ?? [];
    if (pid === undefined || call === undefined) continue;
    const count = (counts.get(pid + call) ?? 0) + 1;
    counts.set(pid + call, count);
    most.set(call, Math.max(count, most.get(call) ?? 0));
  }
  return [...most].flatMap(([call, count]) => Array.from({ length: count }, (_, i): [string, number] => [call, i + 1]));
}

/** Runs the command and kills whoever of its processes makes that call; false when none did. */
function killedAt(store: LapStore, scenario: Scenario, call: string, nth: number): boolean {
  const file = join(store.folder, "trace");
  traced(store, scenario, ["-o", file, "-e", `inject=${call}:signal=SIGKILL:when=${nth}`]);
  return readFileSync(file, "latin1").includes("killed by SIGKILL");
}
