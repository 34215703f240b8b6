import { expect, test } from "vitest";
import { parseIdMap, subidMap } from "./subids.ts";

const user = { name: "ann", id: 1000, uid: 1000 };

test("the own id is root, ranges follow each other", () => {
  const text = "bob:100000:65536\nann:165536:65536\n1000:300000:10\n# ann:1:1\n";
  expect(subidMap(text, user)).toEqual([
    { containerID: 0, hostID: 1000, size: 1 },
    { containerID: 1, hostID: 165_536, size: 65_536 },
    { containerID: 65_537, hostID: 300_000, size: 10 },
  ]);
});

test.each(["", "bob:1:1\n", "ann:x:5\n", "ann:5:0\n", "ann:5\n"])("no range in %j", (text) => {
  expect(subidMap(text, user)).toBeUndefined();
});

test("the kernel's table", () => {
  expect(parseIdMap("         0       1000          1\n         1     100000      65536\n")).toEqual([
    { containerID: 0, hostID: 1000, size: 1 },
    { containerID: 1, hostID: 100_000, size: 65_536 },
  ]);
});
