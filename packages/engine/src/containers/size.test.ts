import { filesLayer } from "@lapstrake/layers";
import { expect, it } from "vitest";
import { sizeBelow } from "./size.ts";

it("sums regular files at every depth", async () => {
  const tree = filesLayer({ "a.txt": "12345", "d/e/f.txt": "123" });
  expect(sizeBelow(tree.root)).toBe(8);
});
