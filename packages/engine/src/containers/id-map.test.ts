import { expect, test } from "vitest";
import { swapIds } from "./id-map.ts";

const mapped = (id: number, one: number, other: number): number => {
  const range = swapIds(one, other).find(({ containerID, size }) => id >= containerID && id < containerID + size)!;
  return range.hostID + id - range.containerID;
};

test("two ids change places and every other one stays", () => {
  for (const [one, other] of [
    [1000, 0],
    [0, 1000],
    [1000, 1001],
    [5, 4294967294],
  ] as const) {
    expect(mapped(one, one, other)).toBe(other);
    expect(mapped(other, one, other)).toBe(one);
    for (const id of [1, 999, 1002, 70_000, 4294967293]) expect(mapped(id, one, other)).toBe(id);
  }
});

test("the same id needs one range", () => {
  expect(swapIds(7, 7)).toEqual([{ containerID: 0, hostID: 0, size: 4294967295 }]);
});
