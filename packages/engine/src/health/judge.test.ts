import { expect, it } from "vitest";
import { checkHealth, healthPlan, mergeHealth, type HealthPlan } from "./config.ts";
import { judge, nextDelayMs } from "./judge.ts";
import { STARTING, type Health, type HealthCheck } from "./state.ts";

const plan: HealthPlan = healthPlan({
  Test: ["CMD", "true"],
  StartPeriod: 10_000 * 1e6,
  StartInterval: 1e9,
  Retries: 2,
})!;
const check = (exitCode: number): HealthCheck => ({ start: "a", end: "b", exitCode, output: "" });
const after = (codes: readonly number[], ranMs: number): Health =>
  codes.reduce((health, code) => judge(plan, health, check(code), ranMs), STARTING);

it("counts failures only after the start period, or once it was healthy", () => {
  expect(after([1, 1, 1], 5_000)).toMatchObject({ status: "starting", failingStreak: 0 });
  expect(after([1], 10_000)).toMatchObject({ status: "starting", failingStreak: 1 });
  expect(after([1, 1], 10_000)).toMatchObject({ status: "unhealthy", failingStreak: 2 });
  expect(after([0, 1, 1], 5_000)).toMatchObject({ status: "unhealthy", failingStreak: 2 });
  expect(after([1, 1, 0], 10_000)).toMatchObject({ status: "healthy", failingStreak: 0 });
});

it("keeps the last five", () => {
  expect(after([1, 2, 3, 4, 5, 6], 0).log.map(({ exitCode }) => exitCode)).toEqual([2, 3, 4, 5, 6]);
});

it("checks more often while it starts", () => {
  expect(nextDelayMs(plan, STARTING, 0)).toBe(1000);
  expect(nextDelayMs(plan, STARTING, 10_000)).toBe(30_000);
  expect(nextDelayMs(plan, { ...STARTING, status: "healthy" }, 0)).toBe(30_000);
});

it("merges the request over the image", () => {
  const image = { Test: ["CMD-SHELL", "ls"], Interval: 5e9, Retries: 7 };
  expect(mergeHealth(image, undefined)).toBe(image);
  expect(mergeHealth(image, { timeoutMs: 1500, retries: 2 })).toEqual({ ...image, Retries: 2, Timeout: 15e8 });
  expect(healthPlan(mergeHealth(image, { test: ["NONE"] }))).toBeUndefined();
  expect(healthPlan(image)).toMatchObject({ args: ["/bin/sh", "-c", "ls"], intervalMs: 5000, retries: 7 });
  expect(() => checkHealth({ intervalMs: 0.5 })).toThrow("cannot be less than 1ms");
});
