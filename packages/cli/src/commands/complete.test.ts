import { expect, it } from "vitest";
import { candidates } from "./complete.ts";

const words = async (before: readonly string[], current: string): Promise<string[]> =>
  (await candidates(before, current, { root: undefined })).map(({ word }) => word);

it("knows commands, groups and verbs from their tables", async () => {
  expect(await words([], "vo")).toEqual(["volume"]);
  expect(await words(["--root", "/s"], "imag")).toEqual(["images", "image"]);
  expect(await words(["image"], "l")).toEqual(["ls", "load"]);
  expect(await words([], "_")).toEqual([]);
});

it("knows flags, leaves refused ones out, and the values of some", async () => {
  expect(await words(["run"], "--cpu-r")).toEqual(["--cpu-rt-period", "--cpu-rt-runtime"]);
  expect(await words(["container", "run"], "--gp")).toEqual([]);
  expect(await words(["run", "-it", "--pull"], "m")).toEqual(["missing"]);
});
