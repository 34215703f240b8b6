import { expect, test } from "vitest";
import { absoluteInContainer, placeCopy, splitEntry } from "./copy-paths.ts";

test("paths keep what they say about their end", () => {
  expect(["a", "/a/", "a/.", "/", ".", "../x"].map(absoluteInContainer)).toEqual([
    "/a",
    "/a/",
    "/a/.",
    "/",
    "/.",
    "/x",
  ]);
  expect(splitEntry("/a/b/")).toEqual({ dir: "/a", base: "b" });
  expect(splitEntry("/a/.")).toEqual({ dir: "/a", base: "." });
});

const file = { path: "/s/f", exists: true, isDir: false };
const dir = { path: "/s/d", exists: true, isDir: true };
const there = (path: string, isDir: boolean) => ({ path, exists: true, isDir });
const missing = (path: string) => ({ path, exists: false, isDir: false });

test("docker's table of sources and destinations", () => {
  expect(placeCopy(file, "f", there("/t", true))).toEqual({ dir: "/t", name: "f" });
  expect(placeCopy(file, "f", there("/t/x", false))).toEqual({ dir: "/t", name: "x" });
  expect(placeCopy(file, "f", missing("/t/new"))).toEqual({ dir: "/t", name: "new" });
  expect(() => placeCopy(file, "f", missing("/t/new/"))).toThrow("no such directory");
  expect(placeCopy(dir, "d", there("/t", true))).toEqual({ dir: "/t", name: "d" });
  expect(placeCopy(dir, ".", there("/t", true))).toEqual({ dir: "/t", name: "." });
  expect(placeCopy(dir, "d", missing("/t/new"))).toEqual({ dir: "/t", name: "new" });
  expect(placeCopy(dir, "d", missing("/t/new/"))).toEqual({ dir: "/t", name: "new" });
  expect(() => placeCopy(dir, "d", there("/t/x", false))).toThrow("cannot copy directory");
});
