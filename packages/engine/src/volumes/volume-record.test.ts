import { expect, it } from "vitest";
import { checkVolumeName, isVolumeName } from "./volume-record.ts";

it("takes docker's names up to what a directory can be called", () => {
  expect(checkVolumeName("a".repeat(255))).toHaveLength(255);
  expect(isVolumeName("a".repeat(256))).toBe(false);
  expect(() => checkVolumeName("a".repeat(10_000))).toThrow(
    /^create a{255}: volume name is longer than 255 characters$/,
  );
  expect(() => checkVolumeName("a")).toThrow("too short");
  expect(() => checkVolumeName("../x")).toThrow("invalid characters");
});
