import { expect, it } from "vitest";
import { afterEnd, parseRestartPolicy, startsAtBoot } from "./policy.ts";
import { FIRST_STATE, type RestartState } from "./state.ts";

const quick = { ranMs: 5, nowMs: 1000 };

it("waits 100 ms, doubled up to a minute, from the start after ten seconds", () => {
  const policy = parseRestartPolicy("always");
  const delays: number[] = [];
  let state: RestartState = FIRST_STATE;
  for (let i = 0; i < 12; i++) {
    state = afterEnd(policy, state, { ...quick, exitCode: 0 });
    delays.push(state.delayMs);
    expect(state.dueMs).toBe(1000 + state.delayMs);
  }
  expect(delays).toEqual([100, 200, 400, 800, 1600, 3200, 6400, 12800, 25600, 51200, 60000, 60000]);
  expect(state.count).toBe(12);
  expect(afterEnd(policy, state, { ranMs: 10_000, nowMs: 0, exitCode: 0 }).delayMs).toBe(100);
});

it("gives up after the maximum, and at success", () => {
  const policy = parseRestartPolicy("on-failure:2");
  const first = afterEnd(policy, FIRST_STATE, { ...quick, exitCode: 1 });
  const second = afterEnd(policy, first, { ...quick, exitCode: 1 });
  expect(second).toMatchObject({ count: 2, dueMs: 1200 });
  expect(afterEnd(policy, second, { ...quick, exitCode: 1 })).toEqual({ count: 2, delayMs: 400, stopped: false });
  expect(afterEnd(policy, first, { ...quick, exitCode: 0 }).dueMs).toBeUndefined();
});

it("leaves alone what a person stopped", () => {
  const stopped = { ...FIRST_STATE, stopped: true };
  for (const name of ["always", "unless-stopped", "on-failure"]) {
    expect(afterEnd(parseRestartPolicy(name), stopped, { ...quick, exitCode: 1 }).dueMs).toBeUndefined();
  }
  expect(startsAtBoot(parseRestartPolicy("always"), stopped)).toBe(true);
  expect(startsAtBoot(parseRestartPolicy("unless-stopped"), stopped)).toBe(false);
  expect(startsAtBoot(parseRestartPolicy("unless-stopped"), FIRST_STATE)).toBe(true);
  expect(startsAtBoot(parseRestartPolicy("on-failure"), FIRST_STATE)).toBe(false);
});

it("starts with the store what stopped with it", () => {
  const policy = parseRestartPolicy("unless-stopped");
  const ended = afterEnd(policy, { ...FIRST_STATE, stopped: true, halted: true }, { ...quick, exitCode: 137 });
  expect(ended.dueMs).toBeUndefined();
  expect(startsAtBoot(policy, ended)).toBe(true);
});

it("parses docker's spellings and refuses in its words", () => {
  expect(parseRestartPolicy("")).toEqual({ name: "no", maximumRetryCount: 0 });
  expect(parseRestartPolicy("on-failure:3")).toEqual({ name: "on-failure", maximumRetryCount: 3 });
  expect(() => parseRestartPolicy("sometimes")).toThrow("unknown policy 'sometimes'");
  expect(() => parseRestartPolicy("always:3")).toThrow("maximum retry count can only be used with 'on-failure'");
  expect(() => parseRestartPolicy("on-failure:x")).toThrow("maximum retry count must be an integer");
});
