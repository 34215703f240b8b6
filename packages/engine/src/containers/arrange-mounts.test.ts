import { expect, test } from "vitest";
import { arrangeMounts, rootPropagation } from "./arrange-mounts.ts";

const mount = (destination: string, ...options: string[]) => ({ destination, type: "bind", source: "/x", options });

test("parents come before what is mounted in them, and before managed files", () => {
  const own = [mount("/etc/hosts")];
  const asked = [mount("/data/a/b"), mount("/etc"), mount("/data")];
  const order = arrangeMounts({ defaults: [mount("/proc")], own, asked }, false).map(({ destination }) => destination);
  expect(order).toEqual(["/proc", "/etc", "/data", "/etc/hosts", "/data/a/b"]);
});

test("what is asked for replaces a default and a managed file", () => {
  const defaults = [mount("/dev"), mount("/dev/shm")];
  const asked = [mount("/dev/shm", "asked"), mount("/etc/hosts", "asked")];
  const result = arrangeMounts({ defaults, own: [mount("/etc/hosts")], asked }, false);
  expect(result.filter(({ options }) => options?.includes("asked") !== true)).toEqual([mount("/dev")]);
});

test("a mount over /dev takes its children away", () => {
  const defaults = [mount("/dev"), mount("/dev/shm"), mount("/sys")];
  const result = arrangeMounts({ defaults, own: [], asked: [mount("/dev", "asked")] }, false);
  expect(result.map(({ destination }) => destination)).toEqual(["/sys", "/dev"]);
});

test("under a read-only root the engine's mounts are read-only, those of people are as asked", () => {
  const result = arrangeMounts(
    { defaults: [mount("/dev")], own: [mount("/etc/hosts")], asked: [mount("/data")] },
    true,
  );
  expect(result).toEqual([mount("/dev"), mount("/data"), mount("/etc/hosts", "ro")]);
});

test("shared and slave mounts need a root that propagates", () => {
  expect(rootPropagation([mount("/a", "rprivate")])).toBeUndefined();
  expect(rootPropagation([mount("/a", "rslave")])).toBe("rslave");
  expect(rootPropagation([mount("/a", "rslave"), mount("/b", "rshared")])).toBe("shared");
});
