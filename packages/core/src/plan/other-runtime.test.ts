// The plan of a container that another runtime makes: what our helper does around it, and in which cgroup.
import { expect, test } from "vitest";
import type { LaunchOptions } from "../launch/types.ts";
import { defaultSpec } from "../spec/defaults.ts";
import { HYBRID_HOST, V2_HOST } from "../testing/facts.ts";
import { compileOther, compileOtherExec, runtimeRoot } from "./other-runtime.ts";

const OPTIONS: LaunchOptions = {
  containerDir: "/c",
  id: "one",
  stdio: "pty",
  openStdin: false,
  stdinOnce: false,
  log: null,
  reapArgv: [],
  foreground: true,
  initialClient: true,
  awaitCaller: true,
};
const BUNDLE = {
  spec: defaultSpec(),
  rootfs: { kind: "overlay", lowerdirs: ["/l"], upperdir: "/c/upper", workdir: "/c/work" },
} as const;
const COMMANDS = {
  dir: "/c",
  env: ["PATH=/bin"],
  create: ["/runc", "create", "one"],
  pidFile: "pid",
  start: ["/runc", "start", "one"],
};

test("the root is mounted, the runtime makes the process, which waits for the caller and is let go", () => {
  const { ops, cloneFlags, cgroups } = compileOther(BUNDLE, COMMANDS, V2_HOST, OPTIONS);
  expect(ops.map(({ op }) => op)).toEqual("propagation rootOverlay chdir runtime adopt sync runtime leave".split(" "));
  expect(ops.filter(({ op }) => op === "runtime").map(({ args, console }) => [args, console])).toEqual([
    [COMMANDS.create, 1],
    [COMMANDS.start, 0],
  ]);
  expect([cloneFlags, runtimeRoot(BUNDLE)]).toEqual([0x20000, "/c/upper"]);
  // It makes its cgroup itself, and refuses one with a process in it.
  expect([cgroups.v1, cgroups.v2, cgroups.writes]).toEqual([[], undefined, []]);
  expect(cgroups.freezerFile).toBe("/sys/fs/cgroup/lapstrake/one/cgroup.freeze");
});

test("where runtimes know v1 only, the process inherits the unified cgroup, in which it is frozen", () => {
  const { cgroups } = compileOther(BUNDLE, COMMANDS, HYBRID_HOST, OPTIONS);
  expect([cgroups.v2, cgroups.isOwned, cgroups.v1]).toEqual(["/sys/fs/cgroup/unified/lapstrake/one", true, []]);
  const exec = compileOtherExec(BUNDLE, { ...COMMANDS, dir: "/c/exec" }, HYBRID_HOST, { ...OPTIONS, stdio: "pipes" });
  expect([exec.cgroups.v2, exec.cgroups.isOwned, exec.cloneFlags]).toEqual([cgroups.v2, false, 0]);
  expect(exec.ops.map(({ op }) => op)).toEqual(["chdir", "runtime", "adopt", "leave"]);
});
