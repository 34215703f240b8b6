import { expect, test } from "vitest";
import { execAffinity, listMask, memoryPolicyOps } from "./cpus.ts";

test("a list becomes a mask of whole words", () => {
  expect([...listMask("0-3,7", "x")]).toEqual([0x8f, 0, 0, 0, 0, 0, 0, 0]);
  expect([...listMask("64", "x")]).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]);
});

test.each(["", "a", "3-1", "1,", "-1", "1-", "99999", "1-2-3"])("refuses %j by the field's name", (list) => {
  expect(() => listMask(list, "the.field")).toThrow(/^the\.field/);
});

test("an exec without a wish is free, with one stays where it was put", () => {
  const process = { cwd: "/" };
  expect(execAffinity(process).after).toHaveLength(1);
  expect(execAffinity({ ...process, execCPUAffinity: { initial: "1" } })).toEqual({
    before: [{ op: "affinity", mask: listMask("1", "") }],
    after: [],
  });
  expect(execAffinity({ ...process, execCPUAffinity: { initial: "1", final: "0" } }).after).toEqual([
    { op: "affinity", mask: listMask("0", "") },
  ]);
});

test("memory policies carry their flags, and unknown words are named", () => {
  const policy = { mode: "MPOL_BIND", nodes: "0", flags: ["MPOL_F_STATIC_NODES"] };
  expect(memoryPolicyOps({ memoryPolicy: policy })).toEqual([
    { op: "memoryPolicy", mode: 2 | (1 << 15), nodes: listMask("0", "") },
  ]);
  expect(memoryPolicyOps({})).toEqual([]);
  expect(() => memoryPolicyOps({ memoryPolicy: { mode: "MPOL_X" } })).toThrow("linux.memoryPolicy.mode");
  expect(() => memoryPolicyOps({ memoryPolicy: { mode: "MPOL_LOCAL", flags: ["constructor"] } })).toThrow(
    "linux.memoryPolicy.flags",
  );
});
