import { LapError } from "@lapstrake/base";
import { beforeEach, expect, it, vi } from "vitest";
import { forEachTarget, removeEach } from "./each.ts";

const printed = vi.hoisted(() => ({ text: "" }));
vi.mock("../output/print.ts", () => {
  const keep = (text: string): void => {
    printed.text += text;
  };
  return { out: keep, err: keep };
});
beforeEach(() => {
  printed.text = "";
});

it.each([1, 2, 16])("does every target, %i at once, and says so in their order", async (atOnce) => {
  let now = 0;
  let most = 0;
  const act = async (target: string): Promise<void> => {
    most = Math.max(most, ++now);
    // The later ones are done first.
    for (let turns = 40 - 10 * Number(target); turns > 0; turns--) await Promise.resolve();
    now--;
  };
  const { exitCode } = await forEachTarget(["0", "1", "2", "3"], act, atOnce);
  expect([exitCode, most, printed.text]).toEqual([0, Math.min(4, atOnce), "0\n1\n2\n3\n"]);
});

it("goes on after an error", async () => {
  const done: string[] = [];
  const { failed, exitCode } = await forEachTarget(["a", "b", "c"], (target) => {
    done.push(target);
    return target === "b" ? Promise.reject(new Error("no")) : Promise.resolve();
  });
  expect([failed, exitCode, done]).toEqual([["b"], 1, ["a", "b", "c"]]);
  expect(printed.text).toMatch(/^a\n.*no.*\nc\n$/);
});

it.each([
  [false, "notFound", 1],
  [true, "notFound", 0],
  [true, "conflict", 1],
] as const)("removes with force %s, and takes %s for %i", async (force, kind, exitCode) => {
  const remove = (): Promise<void> => Promise.reject(new LapError(kind, "ERR_LAP_TEST", "no such thing"));
  expect(await removeEach(["a"], force, remove)).toBe(exitCode);
  expect(printed.text).toContain("no such thing");
});
