// What crash and full-disk tests do to a store: commands, the state each starts from and what must be true after a retry.
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { env } from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import { nativePart } from "./facts.ts";
import type { LapResult, LapStore } from "./lap.ts";
import { NETWORKS } from "./scenarios-networks.ts";
import { LIVES } from "./scenarios-lives.ts";
import { STORED } from "./scenarios-stored.ts";
import { VOLUMES } from "./scenarios-volumes.ts";
import { gone, type Scenario } from "./scenario.ts";
import { soon, until } from "./until.ts";

export type { Scenario } from "./scenario.ts";
export { gone } from "./scenario.ts";

/** For so long what a killed command's children still do may be in the way. */
const SETTLE_MS = 10_000;

/** True when everything is to be tried, not a sample: LAP_CRASH_ALL=1, or =N for every N-th call. */
export const TRIES_ALL: boolean = env["LAP_CRASH_ALL"] !== undefined;

/** A scenario and its place among all. */
export interface Placed extends Scenario {
  readonly index: number;
}

const SCENARIOS: readonly Placed[] = [...LIVES, ...STORED, ...VOLUMES, ...NETWORKS].map((each, index) => ({
  ...each,
  index,
}));

/** The commands that change a store; unless all are tried, every `of`-th from the `part`-th on: several suites share them. */
export function scenarios(part: number, of: number): readonly Placed[] {
  return TRIES_ALL ? SCENARIOS : SCENARIOS.filter(({ index }) => index % of === part);
}

/** What is executed: the command, or a shell with the line. */
export function commandOf(store: LapStore, { command }: Scenario): [string, ...string[]] {
  const lap = [nativePart("lap"), "--root", store.root];
  if (typeof command === "string") return ["sh", "-c", `lap() { ${lap.join(" ")} "$@"; }; ${command}`];
  const [program = "", ...words] = [...lap, ...command.map((word) => word.replace(/^FOLDER/, store.folder))];
  return [program, ...words];
}

/** The command, once. */
export function perform(store: LapStore, scenario: Scenario): LapResult {
  const [program, ...words] = commandOf(store, scenario);
  const { status, stdout, stderr, error } = spawnSync(program, words, {
    timeout: 30_000,
    killSignal: "SIGKILL",
    encoding: "utf8",
    input: "",
  });
  if (error !== undefined) throw error;
  return { code: status, stdout, stderr };
}

/** The command again, until it can be done; throws when it cannot, or does not do its work. */
export async function retry(store: LapStore, scenario: Scenario, what: string): Promise<void> {
  let last: LapResult | undefined;
  const isDone = (): boolean => {
    last = perform(store, scenario);
    return last.code === 0 || scenario.done?.test(last.stderr) === true;
  };
  if (scenario.waits === true) await until(what, isDone, SETTLE_MS).catch(() => undefined);
  else isDone();
  if (last?.code !== 0 && scenario.done?.test(last?.stderr ?? "") !== true) {
    throw new Error(`retry after ${what}: ${last?.stdout}${last?.stderr}`);
  }
  await scenario.after(store);
}

/** After all, without repair, nothing is left to complain of, and no container. */
export async function expectOrder(store: LapStore): Promise<void> {
  gone(store);
  await soon(
    () => expect(store.run(["system", "check", "--quick", "--older-than", "0s"]).stdout).toBe("clean\n"),
    SETTLE_MS,
  );
  expect(readdirSync(join(store.root, "containers"))).toEqual([]);
}

/** What the dead process's children still do ends by itself; a check mends what is left, until one finds nothing. */
export async function settle(store: LapStore, what: string): Promise<void> {
  const deadline = Date.now() + SETTLE_MS;
  for (;;) {
    const { code, stdout, stderr } = store.run(["system", "check", "--repair", "--older-than", "0s"]);
    if (stdout === "clean\n") return;
    if (Date.now() > deadline) throw new Error(`${what}: ${stdout}${stderr}`);
    // What it mended is looked at again at once.
    if (code !== 0) await sleep(50);
  }
}
