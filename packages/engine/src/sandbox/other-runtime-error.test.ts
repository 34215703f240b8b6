// What runtimes say, sorted by the codes from which 125, 126 and 127 come.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { runtimeError } from "./other-runtime-error.ts";

const dir = mkdtempSync(join(tmpdir(), "lap-runtime-error-"));
afterAll(() => rmSync(dir, { recursive: true }));

const BEFORE = new Error("the helper's");
const RUNC = "runc create failed: unable to start container process: ";

function said(...lines: readonly string[]): unknown {
  const log = join(dir, "log");
  writeFileSync(log, lines.join("\n"));
  return runtimeError(BEFORE, log, "create");
}

const entry = (level: string, msg: string): string => JSON.stringify({ level, msg });

test.each([
  [
    `${RUNC}exec: "x": executable file not found in $PATH`,
    "ERR_LAP_EXEC_NOT_FOUND",
    'exec: "x": executable file not found in $PATH',
  ],
  [
    `${RUNC}exec: "/x": stat /x: no such file or directory`,
    "ERR_LAP_EXEC_NOT_FOUND",
    'exec: "/x": stat /x: no such file or directory',
  ],
  [
    `${RUNC}error during container init: exec: "/x": permission denied`,
    "ERR_LAP_EXEC_PERMISSION",
    'exec: "/x": permission denied',
  ],
  [
    "executable file `x` not found in $PATH: No such file or directory",
    "ERR_LAP_EXEC_NOT_FOUND",
    "executable file `x` not found in $PATH: No such file or directory",
  ],
  [
    "cgroups in hybrid mode not supported",
    "ERR_LAP_RUNTIME_FAILED",
    "OCI runtime create failed: cgroups in hybrid mode not supported",
  ],
])("%s", (text, code, message) => {
  expect(said(entry("error", "an earlier one"), entry("error", text), entry("info", "leaving"))).toMatchObject({
    code,
    message,
  });
});

test("a runtime that says nothing, or something else, leaves the error as it is", () => {
  expect(said(entry("warning", "deprecated"), "not JSON", "[1]")).toBe(BEFORE);
  expect(runtimeError(BEFORE, join(dir, "nothing"), "exec")).toBe(BEFORE);
});
