// The test support itself: a skip must always say what the machine lacks.
import { expect, test } from "vitest";
import { hasFact, missingFacts } from "../support/facts.ts";
import { groupSkips, skipReason } from "../support/reporter.ts";

test("a missing fact is named, one that holds is not", () => {
  expect(missingFacts("command:sh", "command:no-such-program-here")).toEqual(["command:no-such-program-here"]);
  expect(missingFacts("env:LAP_NOT_SET_ANYWHERE")).toEqual(["env:LAP_NOT_SET_ANYWHERE"]);
});

test("a misspelt fact is an error, not a skip for ever", () => {
  expect(() => hasFact("rooot")).toThrow(/unknown host fact "rooot"/);
});

test("the reason of a skip comes from the name, from every level of it, else from the note", () => {
  expect(skipReason("cgroups [needs root, cgroup-v1] > limits [needs root]", undefined)).toBe("needs root, cgroup-v1");
  expect(skipReason("cgroups > limits", "kernel too old")).toBe("kernel too old");
  expect(skipReason("cgroups (skipped: no cgroup) > limits", undefined)).toBe("no cgroup");
  expect(skipReason("cgroups > limits", undefined)).toBeUndefined();
});

test("skips of one file and reason are one line", () => {
  const skips = ["a", "b"].map((name) => ({ file: "x.test.ts", name, reason: "needs root" }));
  expect(groupSkips(skips)).toEqual(["skip x.test.ts: needs root: 2 tests"]);
  expect(groupSkips(skips.slice(1))).toEqual(["skip x.test.ts: needs root: b"]);
});
