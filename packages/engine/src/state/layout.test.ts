import { expect, it } from "vitest";
import { openLayout } from "./layout.ts";

it("says at once that a store cannot be made, where node's own mkdir -p tries for ever", () => {
  expect(() => openLayout("/proc/lapstrake/store")).toThrow(expect.objectContaining({ syscall: "mkdir" }));
});
