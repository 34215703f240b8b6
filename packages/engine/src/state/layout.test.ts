import { mkdtempDisposableSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { openLayout } from "./layout.ts";

it("says at once that a store cannot be made, where node's own mkdir -p tries for ever", () => {
  expect(() => openLayout("/proc/lapstrake/store")).toThrow(expect.objectContaining({ syscall: "mkdir" }));
});

it.each(["", "{", "[]", "null", "{}", '{"version":"1"}'])(
  "takes a folder with the layout %j for damaged, not for new",
  (text) => {
    using folder = mkdtempDisposableSync(join(tmpdir(), "lap-layout-"));
    const path = join(folder.path, "layout.json");
    writeFileSync(path, text);
    const hint = expect.stringContaining('write {"version":1} into the file') as string;
    expect(() => openLayout(folder.path)).toThrow(
      expect.objectContaining({
        code: "ERR_LAP_STORE_DAMAGED",
        message: expect.stringContaining(path) as string,
        hint,
      }),
    );
    expect(readFileSync(path, "utf8")).toBe(text);
  },
);

it("refuses a store of another version", () => {
  using folder = mkdtempDisposableSync(join(tmpdir(), "lap-layout-"));
  writeFileSync(join(folder.path, "layout.json"), '{"version":2}');
  expect(() => openLayout(folder.path)).toThrow(expect.objectContaining({ code: "ERR_LAP_STORE_VERSION" }));
});
