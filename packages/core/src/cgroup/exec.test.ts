// Sub-groups of an exec: which directories the words of `--cgroup` name, on v1 and on v2.
import { expect, test } from "vitest";
import type { CgroupPlan } from "../plan/types.ts";
import { inSubgroups } from "./exec.ts";

const NONE = { isOwned: false, writes: [], deviceRules: undefined, freezerFile: undefined, oomFile: undefined };
const V1: CgroupPlan = {
  ...NONE,
  v1: [
    { controllers: ["cpu", "cpuacct"], path: "/c/cpu/x" },
    { controllers: ["pids"], path: "/c/pids/x" },
  ],
  v2: undefined,
};
const V2: CgroupPlan = { ...NONE, v1: [], v2: "/c/x" };

test("v1: by controller, the others stay", () => {
  expect(inSubgroups(V1, ["pids:a/b"]).v1.map(({ path }) => path)).toEqual(["/c/cpu/x", "/c/pids/x/a/b"]);
  expect(inSubgroups(V1, ["all"]).v1.map(({ path }) => path)).toEqual(["/c/cpu/x/all", "/c/pids/x/all"]);
  expect(inSubgroups(V1, ["cpu,cpuacct:one", "pids:two"]).v1.map(({ path }) => path)).toEqual([
    "/c/cpu/x/one",
    "/c/pids/x/two",
  ]);
});

test("v2: one path; nothing named changes nothing", () => {
  expect(inSubgroups(V2, ["/a/./b"]).v2).toBe("/c/x/a/b");
  expect(inSubgroups(V2, [])).toBe(V2);
});

test.each([
  [V1, ["a", "pids:b"]],
  [V1, [":a"]],
  [V1, ["pids:a", "pids:b"]],
  [V1, ["cpu:a", "cpuacct:b"]],
  [V1, ["moon:a"]],
  [V1, ["pids:../y"]],
  [V2, ["../y"]],
  [V2, ["a", "b"]],
])("refused: %#", (plan, words) => {
  expect(() => inSubgroups(plan, words)).toThrow(expect.objectContaining({ code: "ERR_LAP_CGROUP_SUB" }));
});
