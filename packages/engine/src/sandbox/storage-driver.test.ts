// Which driver new containers get: what was asked for, then what the store found out.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { storePaths } from "../state/layout.ts";
import { askedDriver, rememberCopies, storeDriver } from "./storage-driver.ts";

test("names are docker's, and unknown ones are refused", () => {
  expect([askedDriver("overlay"), askedDriver("overlay2"), askedDriver("vfs"), askedDriver("")]).toEqual([
    "overlay2",
    "overlay2",
    "vfs",
    undefined,
  ]);
  expect(() => askedDriver("zfs")).toThrow('unknown storage driver "zfs"');
  expect(() => askedDriver("constructor")).toThrow("unknown storage driver");
});

test("a store remembers, once, and does as it is told", () => {
  const root = mkdtempSync(join(tmpdir(), "lap-driver-"));
  try {
    const paths = storePaths(root);
    expect(storeDriver(paths, undefined)).toBe("overlay2");
    expect([rememberCopies(paths), rememberCopies(paths)]).toEqual([true, false]);
    expect([storeDriver(paths, undefined), storeDriver(paths, "overlay2")]).toEqual(["vfs", "overlay2"]);
  } finally {
    rmSync(root, { recursive: true });
  }
});
