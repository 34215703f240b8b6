// Mount options as flags: later words win, recursive ones stay apart, the rest is the filesystem's.
import { expect, test } from "vitest";
import * as flag from "../sys/flags.ts";
import { parseMountOptions, parsePropagation } from "./mount-options.ts";

test("flags set and clear, the last word wins", () => {
  const options = parseMountOptions(["ro", "nosuid", "rw", "suid", "nodev"]);
  expect(options.set).toBe(flag.MOUNT_ATTR_NODEV);
  expect(options.clear).toBe(flag.MOUNT_ATTR_RDONLY | flag.MOUNT_ATTR_NOSUID);
});

test("recursive flags are not mistaken for flags that begin with r", () => {
  expect(parseMountOptions(["ro"]).recursiveSet).toBe(0);
  expect(parseMountOptions(["relatime"]).recursiveSet).toBe(0);
  expect(parseMountOptions(["rro", "rnosuid"]).recursiveSet).toBe(flag.MOUNT_ATTR_RDONLY | flag.MOUNT_ATTR_NOSUID);
  expect(parseMountOptions(["rrw"]).recursiveClear).toBe(flag.MOUNT_ATTR_RDONLY);
});

test("an access-time mode replaces the one before", () => {
  const options = parseMountOptions(["noatime", "strictatime"]);
  expect(options.set & flag.MOUNT_ATTR_ATIME).toBe(flag.MOUNT_ATTR_STRICTATIME);
});

test("binds, propagation and data", () => {
  const options = parseMountOptions(["rbind", "rshared", "size=1m", "mode=755", "defaults", ""]);
  expect(options).toMatchObject({
    bind: true,
    recursiveBind: true,
    propagation: flag.MS_SHARED,
    propagateAll: true,
    data: ["size=1m", "mode=755"],
  });
});

test("an unknown propagation is refused by field", () => {
  for (const name of ["rfoo", "__proto__", "rconstructor", "r"])
    expect(() => parsePropagation(name)).toThrow(/rootfsPropagation/);
});
