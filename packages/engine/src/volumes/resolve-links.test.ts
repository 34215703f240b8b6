import { expect, test } from "vitest";
import { resolveLinks, type Looked } from "./resolve-links.ts";

const TREE: Readonly<Record<string, Looked>> = {
  a: { type: "dir", target: "" },
  "a/b": { type: "dir", target: "" },
  "a/b/f": { type: "file", target: "" },
  abs: { type: "symlink", target: "/a/b" },
  "a/rel": { type: "symlink", target: "b/f" },
  "a/up": { type: "symlink", target: "../../../../abs/f" },
  loop: { type: "symlink", target: "loop" },
  dangling: { type: "symlink", target: "/a/none" },
};
const at = (path: string, follow = true, missing = false) => resolveLinks((p) => TREE[p], path, { follow, missing });

test.each([
  ["/a/b/f", "a/b/f"],
  ["abs/f", "a/b/f"],
  ["a/rel", "a/b/f"],
  ["a/up", "a/b/f"],
  ["../../a/../a/./b", "a/b"],
  ["/", ""],
])("%s is %s", (path, real) => {
  expect(at(path).path).toBe(real);
});

test("the last link is followed on demand, or when a slash follows", () => {
  expect(at("abs", false)).toEqual({ path: "abs", found: TREE["abs"] });
  expect(at("abs/", false).path).toBe("a/b");
});

test("missing names end the way unless they are allowed", () => {
  expect(at("a/none").found).toBeUndefined();
  expect(() => at("a/none/x")).toThrow("ENOENT");
  expect(at("a/none/x", true, true)).toEqual({ path: "a/none/x", found: undefined });
  expect(at("dangling", true, true)).toEqual({ path: "a/none", found: undefined });
  expect(() => at("a/b/f/x")).toThrow("ENOTDIR");
  expect(() => at("loop")).toThrow("ELOOP");
});
