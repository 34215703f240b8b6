// Many targets: echo each success as typed, print each error, go on, exit 1 at the end (docker's habit).
import { errorText } from "../errors.ts";
import { err, out } from "../output/print.ts";

/** Runs `act` on every target; resolves to the exit code. */
export async function forEachTarget(
  targets: readonly string[],
  act: (target: string) => Promise<string | void>,
): Promise<{ readonly failed: string[]; readonly exitCode: number }> {
  const failed: string[] = [];
  for (const target of targets) {
    try {
      out(`${(await act(target)) ?? target}\n`);
    } catch (error) {
      failed.push(target);
      err(`${errorText(error)}\n`);
    }
  }
  return { failed, exitCode: failed.length === 0 ? 0 : 1 };
}
