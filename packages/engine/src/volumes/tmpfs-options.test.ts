import { expect, test } from "vitest";
import { tmpfsMountOptions, tmpfsOptions } from "./tmpfs-options.ts";

test("what is given replaces its default", () => {
  expect(tmpfsOptions("")).toEqual(["noexec", "nosuid", "nodev"]);
  expect(tmpfsOptions("exec,size=64m,mode=1770")).toEqual(["nosuid", "nodev", "exec", "size=64m", "mode=1770"]);
  expect(tmpfsOptions("defaults")).toEqual(["noexec", "nosuid", "nodev"]);
});

test("unknown options are named", () => {
  expect(() => tmpfsOptions("bogus")).toThrow('invalid tmpfs option ["bogus"]');
  expect(() => tmpfsOptions("exec=1")).toThrow('invalid tmpfs option ["exec=1"]');
});

test("size and mode of --mount", () => {
  const mount = { type: "tmpfs", target: "/t", tmpfsSizeBytes: 1024, tmpfsMode: 0o1777, readOnly: true } as const;
  expect(tmpfsMountOptions(mount)).toEqual(["noexec", "nosuid", "nodev", "ro", "mode=1777", "size=1024"]);
});
