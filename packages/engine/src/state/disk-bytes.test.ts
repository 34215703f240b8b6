import { execFileSync } from "node:child_process";
import { closeSync, linkSync, mkdirSync, mkdtempSync, openSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { diskBytes } from "./disk-bytes.ts";

const FILE_BYTES = 1 << 20;
let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "lap-disk-"));
});
// Node's own cannot name what lies that deep.
afterEach(() => void execFileSync("rm", ["-rf", root]));

it("counts a file with two names once, and follows no link", () => {
  writeFileSync(join(root, "a"), Buffer.alloc(FILE_BYTES, 1));
  linkSync(join(root, "a"), join(root, "b"));
  symlinkSync("/usr", join(root, "link"));
  const bytes = diskBytes(root);
  expect(bytes).toBeGreaterThanOrEqual(FILE_BYTES);
  expect(bytes).toBeLessThan(1.5 * FILE_BYTES);
  expect(diskBytes(join(root, "nothing"))).toBe(0);
});

it("comes to an end in a tree that is nested deeper than a path can name", () => {
  writeFileSync(join(root, "a"), Buffer.alloc(FILE_BYTES, 1));
  let at = openSync(root, "r");
  for (let depth = 0; depth < 25; depth++) {
    const below = `/proc/self/fd/${at}/${"d".repeat(200)}`;
    mkdirSync(below);
    const next = openSync(below, "r");
    closeSync(at);
    at = next;
  }
  closeSync(at);
  expect(diskBytes(root)).toBeGreaterThanOrEqual(FILE_BYTES);
});
