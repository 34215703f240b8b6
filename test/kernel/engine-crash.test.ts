// Crash safety by injection: each command is killed at each call that changes a disk or the kernel's state, and so are its helper,
// the supervisor, the reaper and the keeper (support/kill-at.c counts the calls of all of them together). After each kill
// `system check --repair` leaves nothing to complain of, and a plain retry does the work.
// LAP_CRASH_ALL=1 kills at every call, =7 at every 7th; without it half of the scenarios are killed at one call, another one for each.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { env } from "node:process";
import { afterAll, beforeAll, expect, it } from "vitest";
import { needs } from "../support/facts.ts";
import { LapStore } from "../support/lap.ts";
import { TRIES_ALL, commandOf, expectOrder, retry, scenarios, settle, type Scenario } from "../support/scenarios.ts";

const STEP = TRIES_ALL ? Number(env["LAP_CRASH_ALL"]) : Infinity;
const SOURCE = join(import.meta.dirname, "../support/kill-at.c");
/** The golden ratio spreads the one call of each scenario over the lives of all. */
const SPREAD = 0.618_034;

needs("root", "overlayfs", "native", "command:cc").describe("killed at any call", () => {
  let store: LapStore;
  beforeAll(() => {
    store = new LapStore();
    store.loadPrograms();
    const { status, stderr } = spawnSync("cc", ["-O1", "-o", join(store.folder, "kill-at"), SOURCE]);
    if (status !== 0) throw new Error(stderr.toString());
  });
  afterAll(() => store.close());

  it.each(scenarios(0, 2))("$name", async (scenario) => {
    scenario.before(store);
    const all = pointsOf(store, scenario);
    expect(all.length).toBeGreaterThan(0);
    const failures: string[] = [];
    for (const point of sample(all, scenario.index)) {
      scenario.before(store);
      // It may come to fewer calls than last time, when others of the machine's processes were quicker.
      const what = `${scenario.name}, ${killedAt(store, scenario, point) ?? "not killed"}`;
      try {
        await settle(store, what);
        await retry(store, scenario, what);
      } catch (error) {
        failures.push(`${what}: ${String(error)}`);
      }
    }
    await expectOrder(store);
    expect(failures).toEqual([]);
  });
});

/** Every STEP-th of them, at least one. */
function sample(points: readonly number[], index: number): number[] {
  const some = points.filter((_, at) => (at + index) % STEP === 0);
  return STEP < Infinity && some.length > 0 ? some : [points[Math.floor(((index * SPREAD) % 1) * points.length)]!];
}

/** The calls it comes to; kills at the `at`-th, 0 for none. */
function calls(store: LapStore, scenario: Scenario, at: number): string[] {
  const file = join(store.folder, "calls");
  spawnSync(join(store.folder, "kill-at"), [file, String(at), "0", ...commandOf(store, scenario)], {
    stdio: "ignore",
    timeout: 30_000,
  });
  return readFileSync(file, "latin1").trimEnd().split("\n");
}

/** Numbers of the calls at which it is one of ours that is killed. */
function pointsOf(store: LapStore, scenario: Scenario): number[] {
  return calls(store, scenario, 0).flatMap((line) => {
    const [number = "", , program = ""] = line.split(" ");
    return program === "sh" || program === "kill-at" ? [] : [Number(number)];
  });
}

/** Runs the command and kills whoever of its processes makes that call; the line that says which it was. */
function killedAt(store: LapStore, scenario: Scenario, at: number): string | undefined {
  return calls(store, scenario, at).find((line) => line.endsWith(" HERE"));
}
