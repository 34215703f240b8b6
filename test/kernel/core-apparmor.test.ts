// The default AppArmor profile confines, and labels of one's own take effect; on a kernel with AppArmor.
import { spawnSync } from "node:child_process";
import { expect, it } from "vitest";
import { needs } from "../support/facts.ts";
import { LapStore } from "../support/lap.ts";

needs("root", "native", "overlayfs", "lsm.apparmor", "command:apparmor_parser").describe("AppArmor", () => {
  const label = "cat /proc/self/attr/current";

  it("is the default profile, enforced, in run and exec", () => {
    using store = new LapStore();
    store.loadPrograms();
    expect(store.ok("run", "--rm", "--network", "none", "progs:1", "sh", "-c", label)).toBe(
      "lapstrake-default (enforce)",
    );
    store.ok("run", "-d", "--network", "none", "--name", "c1", "progs:1", "sleep", "100");
    expect(store.ok("exec", "c1", "sh", "-c", label)).toBe("lapstrake-default (enforce)");
    store.ok("rm", "-f", "c1");
  });

  it("denies what nothing else denies a container with every capability", () => {
    using store = new LapStore();
    store.loadPrograms();
    const open = [
      "--cap-add",
      "ALL",
      "--security-opt",
      "seccomp=unconfined",
      "--security-opt",
      "systempaths=unconfined",
    ];
    const script =
      "cd /proc/sys; (cat vm/overcommit_memory > vm/overcommit_memory) 2>&1; (cat kernel/core_pattern > kernel/core_pattern) 2>&1; echo 5 > /proc/sys/kernel/shmmni && cat /proc/sys/kernel/shmmni";
    const confined = store.run(["run", "--rm", "--network", "none", ...open, "progs:1", "sh", "-c", script]);
    expect(confined.stdout).toMatch(/Permission denied[\s\S]*Permission denied[\s\S]*\n5\n$/);
    const free = ["--security-opt", "apparmor=unconfined"];
    const same = "cat /proc/sys/vm/overcommit_memory > /proc/sys/vm/overcommit_memory && echo wrote";
    expect(store.ok("run", "--rm", "--network", "none", ...open, ...free, "progs:1", "sh", "-c", same)).toBe("wrote");
  });

  it("is off when asked for, and for privileged containers", () => {
    using store = new LapStore();
    store.loadPrograms();
    const off = ["--security-opt", "apparmor=unconfined"];
    expect(store.ok("run", "--rm", "--network", "none", ...off, "progs:1", "sh", "-c", label)).toBe("unconfined");
    expect(store.ok("run", "--rm", "--network", "none", "--privileged", "progs:1", "sh", "-c", label)).toBe(
      "unconfined",
    );
  });

  it("takes a profile of one's own, and names one that is not loaded", () => {
    using store = new LapStore();
    store.loadPrograms();
    const text =
      "profile lap-test-own flags=(attach_disconnected) {\n  file,\n  deny /data/** r,\n  capability,\n  signal,\n}\n";
    expect(spawnSync("apparmor_parser", ["-Kr"], { input: text }).status).toBe(0);
    try {
      const own = ["--security-opt", "apparmor=lap-test-own"];
      const result = store.run([
        "run",
        "--rm",
        "--network",
        "none",
        ...own,
        "progs:1",
        "sh",
        "-c",
        `${label}; cat /data/file`,
      ]);
      expect(result.stdout).toBe("lap-test-own (enforce)\n");
      expect(result.stderr).toContain("Permission denied");
      const missing = store.run([
        "run",
        "--rm",
        "--network",
        "none",
        "--security-opt",
        "apparmor=lap-nobody",
        "progs:1",
        "true",
      ]);
      expect(missing.code).toBe(125);
      expect(missing.stderr).toContain('"lap-nobody" is not loaded');
    } finally {
      spawnSync("apparmor_parser", ["-R"], { input: text });
    }
  });
});
