// Many targets: echo each success as typed, print each error, go on, exit 1 at the end (docker's habit). Where docker's client works on
// many at once (rm, stop, restart), so does ours; what is printed stays in the order of the targets.
import { isLapError } from "@lapstrake/base";
import { errorText } from "../errors.ts";
import { err, out } from "../output/print.ts";

/** How many targets `forEachTarget` works on at once when asked to: most of the time each waits for its container's end. */
export const MANY_AT_ONCE = 16;

/** What came of one target. */
type Outcome = { readonly text: string } | { readonly error: unknown };

/** Runs `act` on every target, `atOnce` of them at a time; resolves to the exit code. */
export async function forEachTarget(
  targets: readonly string[],
  act: (target: string) => Promise<string | void>,
  atOnce = 1,
): Promise<{ readonly failed: string[]; readonly exitCode: number }> {
  const failed: string[] = [];
  for await (const [target, outcome] of outcomes(targets, act, atOnce)) {
    if ("text" in outcome) {
      out(`${outcome.text}\n`);
      continue;
    }
    failed.push(target);
    err(`${errorText(outcome.error)}\n`);
  }
  return { failed, exitCode: failed.length === 0 ? 0 : 1 };
}

/** Removes every target; resolves to the exit code. With `force` one that is not there is told and no failure, as docker has it. */
export async function removeEach(
  targets: readonly string[],
  force: boolean,
  remove: (target: string) => Promise<string | void>,
  atOnce = 1,
): Promise<number> {
  let failures = 0;
  const act = async (target: string): Promise<string | void> => {
    try {
      return await remove(target);
    } catch (error) {
      if (!force || !isLapError(error, "notFound")) failures++;
      throw error;
    }
  };
  await forEachTarget(targets, act, atOnce);
  return failures === 0 ? 0 : 1;
}

/** The outcomes in the targets' order; the next target begins when one is done, and has been printed when it is the only one. */
async function* outcomes(
  targets: readonly string[],
  act: (target: string) => Promise<string | void>,
  atOnce: number,
): AsyncGenerator<[target: string, outcome: Outcome]> {
  const running: Promise<Outcome>[] = [];
  const begun = new Set<Promise<Outcome>>();
  for (const [at, target] of targets.entries()) {
    while (running.length < targets.length && running.length < at + atOnce) {
      if (begun.size >= atOnce) await Promise.race(begun);
      const next: Promise<Outcome> = outcomeOf(act, targets[running.length]!).finally(() => begun.delete(next));
      begun.add(next);
      running.push(next);
    }
    yield [target, await running[at]!];
  }
}

async function outcomeOf(act: (target: string) => Promise<string | void>, target: string): Promise<Outcome> {
  try {
    return { text: (await act(target)) ?? target };
  } catch (error) {
    return { error };
  }
}
