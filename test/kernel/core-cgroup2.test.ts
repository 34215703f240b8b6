// The pure-v2 way of starting, on any host with a cgroup2 mount: facts without v1 hierarchies make the same plans that a
// v2 machine gets. Limits need controllers, which a hybrid host's v2 hierarchy lacks; they are tested in core-limits.
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, rmdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { RuntimeSpec } from "@lapstrake/base";
import {
  compile,
  compileExec,
  control,
  defaultSpec,
  hostFacts,
  launch,
  removeCgroupDirs,
  startTime,
  type HostFacts,
  type LaunchPlan,
} from "@lapstrake/core";
import { needs, titleUnless } from "../support/facts.ts";
import { until } from "../support/until.ts";
import { collect } from "./core-harness.ts";

let dir = "";
let plans: LaunchPlan[] = [];

function facts(): HostFacts {
  const real = hostFacts();
  return { ...real, cgroupMode: "v2", cgroups: real.cgroups.filter((mount) => mount.version === 2) };
}

function planOf(args: readonly string[], change: (spec: RuntimeSpec) => RuntimeSpec = (spec) => spec): LaunchPlan {
  const at = join(dir, String(plans.length));
  for (const name of ["", "c", "up", "work"]) mkdirSync(join(at, name), { recursive: true });
  const base = defaultSpec();
  const spec = change({ ...base, process: { ...base.process!, args } });
  const rootfs = { kind: "overlay", lowerdirs: ["/"], upperdir: join(at, "up"), workdir: join(at, "work") } as const;
  const streams = { stdio: "pipes", openStdin: false, stdinOnce: false, log: null, reapArgv: [] } as const;
  const id = `core-v2-${process.pid}-${plans.length}`;
  const plan = compile({ spec, rootfs }, facts(), {
    containerDir: join(at, "c"),
    id,
    ...streams,
    foreground: true,
    initialClient: true,
  });
  plans.push(plan);
  return plan;
}

async function outputOf(plan: LaunchPlan): Promise<string> {
  const { attachment } = await launch(plan);
  const [out, err] = await Promise.all([collect(attachment!.stdout), collect(attachment!.stderr), attachment!.exited]);
  attachment!.reaped();
  return out + err;
}

needs("root", "native", "cgroup-v2").describe("core on cgroup v2", () => {
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "lap-v2-"));
    plans = [];
  });
  afterEach(() => {
    for (const plan of plans) removeCgroupDirs(plan.cgroups);
    rmSync(dir, { recursive: true, force: true });
  });

  test("the first process is born in its cgroup and namespace", async () => {
    const out = await outputOf(
      planOf([
        "sh",
        "-c",
        "grep ^0 /proc/self/cgroup; cat /sys/fs/cgroup/cgroup.procs | head -1; mkdir /sys/fs/cgroup/x",
      ]),
    );
    expect(out).toMatch(/^0::\/\n1\n/);
    expect(out).toContain("Read-only file system");
  });

  test("device rules are a BPF program", async () => {
    const open = { allow: true, type: "c", major: 10, minor: 200, access: "r" };
    const script = "mknod /dev/k c 10 200; head -c 0 /dev/k && echo open; head -c 2 /dev/zero | wc -c";
    expect(await outputOf(planOf(["sh", "-c", script]))).toMatch(/Operation not permitted\n?.*/s);
    const allowed = planOf(["sh", "-c", script], (spec) => {
      const resources = { devices: [...spec.linux!.resources!.devices!, open] };
      return { ...spec, linux: { ...spec.linux, resources } };
    });
    expect(await outputOf(allowed)).toBe("open\n2\n");
  });

  test("freezes by cgroup.freeze, dies by cgroup.kill", async () => {
    const plan = planOf(["sh", "-c", "sleep 100 & sleep 100"]);
    const { attachment } = await launch(plan);
    attachment!.stdout.resume();
    attachment!.stderr.resume();
    await using link = await control(plan.options.containerDir);
    await link.pause();
    await link.resume();
    writeFileSync(join(plan.cgroups.v2!, "cgroup.kill"), "1");
    expect((await attachment!.exited).exitCode).toBe(137);
    attachment!.reaped();
  });

  const domain = ["memory", "hugetlb", "io"].find((name) => facts().cgroups[0]!.controllers.includes(name));
  test.skipIf(domain === undefined)(
    titleUnless(domain === undefined, "cgroup.hugetlb", "an exec goes beside an init that has groups of its own"),
    async () => {
      const enter = "mkdir /sys/fs/cgroup/init; echo 1 > /sys/fs/cgroup/init/cgroup.procs";
      const script = `${enter}; echo +${domain!} > /sys/fs/cgroup/cgroup.subtree_control; echo ready; sleep 100`;
      const base = defaultSpec();
      const process = { ...base.process!, args: ["sh", "-c", script] };
      const mounts = base.mounts!.map((mount) => ({
        ...mount,
        options: mount.options!.filter((option) => mount.type !== "cgroup" || option !== "ro"),
      }));
      const plan = planOf(process.args, (spec) => ({ ...spec, mounts }));
      const { pid, attachment } = await launch(plan);
      attachment!.stderr.resume();
      let said = "";
      attachment!.stdout.on("data", (chunk: Buffer) => (said += chunk.toString()));
      await until("its group gives a controller away", () => said.includes("ready"));
      const target = { id: plan.options.id, spec: { ...base, mounts }, pid, pidStartTime: startTime(pid)! };
      const options = { ...plan.options, containerDir: join(dir, "exec") };
      mkdirSync(options.containerDir);
      const args = ["cat", "/proc/self/cgroup"];
      const exec = compileExec(target, { ...process, args }, facts(), options);
      expect(exec.cgroups.v2).toBe(join(plan.cgroups.v2!, "init"));
      expect(await outputOf(exec)).toMatch(/^0::\/init$/m);
      attachment!.signal(9);
      await attachment!.exited;
      attachment!.reaped();
    },
  );

  test("a cgroup in use is refused", async () => {
    const plan = planOf(["sleep", "100"]);
    const { attachment } = await launch(plan);
    await expect(launch(plan)).rejects.toMatchObject({ code: "ERR_LAP_CGROUP_BUSY" });
    expect(existsSync(plan.cgroups.v2!)).toBe(true);
    attachment!.signal(9);
    await attachment!.exited;
    attachment!.reaped();
    expect(readdirSync(dir).length).toBeGreaterThan(0);
    removeCgroupDirs(plan.cgroups);
    expect(() => rmdirSync(plan.cgroups.v2!)).toThrow(/ENOENT/);
  });
});
