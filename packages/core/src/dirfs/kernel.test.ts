// The kernel's DirFs over a recording port: which calls, beneath which descriptor, with which flags.
import { expect, test } from "vitest";
import { RecordingSyscalls } from "../sys/recording.ts";
import { KernelDirFs } from "./kernel.ts";

const ROOT = 50;
const ELOOP = 40;

function recorded(answer?: ConstructorParameters<typeof RecordingSyscalls>[0]): {
  sys: RecordingSyscalls;
  fs: KernelDirFs;
} {
  const sys = new RecordingSyscalls(answer ?? (({ name }) => (name === "openat2" ? 60 : 0)));
  return { sys, fs: new KernelDirFs(sys, ROOT) };
}

test("a path's parent is resolved beneath, once for neighbours", () => {
  const { sys, fs } = recorded();
  fs.mkdir("a/b/c", 0o700);
  fs.symlink("/etc/passwd", "a/b/d");
  expect(sys.transcript()).toEqual([
    'openat2(50, "a/b", <24 bytes>, 24)',
    'mkdirat(60, "c", 448)',
    'symlinkat("/etc/passwd", 60, "d")',
  ]);
});

test("a rename anywhere forgets kept parents", () => {
  const { sys, fs } = recorded();
  fs.unlink("a/x");
  fs.rename("a/y", "a/z");
  fs.unlink("a/x");
  const opens = sys.calls.filter((call) => call.name === "openat2");
  expect(opens.map((call) => call.args[1])).toEqual(["a", "a"]);
  expect(sys.calls.filter((call) => call.name === "close")).toHaveLength(1);
});

test("a live directory keeps no parents: what others replaced is found", () => {
  let last = 60;
  const sys = new RecordingSyscalls(({ name }) => (name === "openat2" ? ++last : 0));
  const fs = new KernelDirFs(sys, ROOT, { live: true });
  fs.unlink("a/x");
  fs.link("a/y", "b/z");
  fs.unlink("a/x");
  const opens = sys.calls.filter((call) => call.name === "openat2");
  expect(opens.map((call) => call.args[1])).toEqual(["a", "a", "b", "a"]);
  expect(sys.transcript()).toContain('linkat(62, "y", 63, "z", 0)');
  fs.close();
  expect(sys.calls.filter((call) => call.name === "close")).toHaveLength(opens.length + 1);
});

test("a link on the way is an error, never followed", () => {
  const { fs } = recorded(({ name }) => (name === "openat2" ? -ELOOP : 0));
  expect(() => fs.unlink("link/x")).toThrow(expect.objectContaining({ code: "ELOOP", errno: -ELOOP }));
});

test("a renaming neighbour makes the walk retry", () => {
  let busy = 3;
  const { sys, fs } = recorded(({ name }) => (name === "openat2" ? (busy-- > 0 ? -11 : 60) : 0));
  fs.unlink("a/x");
  expect(sys.calls.filter((call) => call.name === "openat2")).toHaveLength(4);
});

test("closing closes the directory and its kept parents", () => {
  const { sys, fs } = recorded();
  fs.unlink("a/x");
  fs.close();
  fs.close();
  expect(sys.transcript().slice(-2)).toEqual(["close(60)", "close(50)"]);
});
