// A user without privilege who has a range of ids in /etc/subuid: containers with all of them, files of every owner in the
// store; and, where a cgroup subtree is delegated to the user, limits.
import { spawnSync } from "node:child_process";
import {
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmdirSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { errorCode } from "@lapstrake/base";
import { defaultSpec, hostFacts } from "@lapstrake/core";
import { missingFacts, needs } from "../support/facts.ts";
import { nativePart } from "../support/native.ts";
import { soon, until } from "../support/until.ts";
import { copyFiles, programFiles } from "../support/programs.ts";
import { Home, ROOTLESS_FACTS, USER } from "./engine-rootless-home.ts";

const v2 = hostFacts().cgroups.find(({ version }) => version === 2);
const canDelegate = v2 !== undefined && hostFacts().cgroupMode === "v2" && missingFacts(...ROOTLESS_FACTS).length === 0;

/** True once the delegated cgroup and its leaves are gone. */
function removeTree(top: string): boolean {
  try {
    for (const name of ["lapstrake", "lapstrake-callers", ""]) {
      if (existsSync(join(top, name))) rmdirSync(join(top, name));
    }
    return true;
  } catch (error) {
    if (errorCode(error) === "EBUSY") return false;
    throw error;
  }
}

needs(...ROOTLESS_FACTS).describe("lap without root, with a range of ids", () => {
  let home: Home;

  beforeAll(() => {
    home = new Home();
    home.ok("load", "-i", join(home.folder, "layout"));
  });
  afterAll(() => home.close());

  it("has every id of the range", () => {
    const script = "cat /proc/self/uid_map; echo x > /f; chown 33:44 /f; stat -c '%u %g' /f; chown 65537 /f";
    const { code, stdout, stderr } = home.run("run", "--rm", "progs:1", "sh", "-c", script);
    expect(stdout).toBe("         0          0          1\n         1          1      65536\n33 44\n");
    expect(code).toBe(1);
    expect(stderr).toContain("Invalid argument");
  });

  it("stores files of other ids with those of the range", () => {
    home.ok("run", "--name", "owner", "progs:1", "sh", "-c", "echo x > /f; chown 5:6 /f");
    const [id] = readdirSync(join(home.store, "containers"));
    const { uid, gid } = statSync(join(home.store, "containers", id!, "upper/f"));
    expect([uid, gid]).toEqual([700_004, 700_005]);
    home.ok("rm", "owner");
    expect(home.ok("run", "--rm", "-u", "5:6", "progs:1", "sh", "-c", "id -u; id -g; echo x > /dev/shm/f")).toBe(
      "5\n6\n",
    );
  });

  it("execs, commits, exports and removes files that the user alone could not touch", async () => {
    const make = "mkdir /d; echo secret > /d/f; chown 7:7 /d/f /d; chmod 0 /d; sleep 100";
    home.ok("run", "-d", "--name", "c1", "progs:1", "sh", "-c", make);
    expect(home.ok("exec", "-u", "9:9", "c1", "id", "-u")).toBe("9\n");
    expect(home.ok("diff", "c1")).toContain("A /d/f\n");
    expect(home.run("commit", "c1", "mine:1").code).toBe(0);
    home.ok("rm", "-f", "c1");
    expect(home.ok("run", "--rm", "mine:1", "stat", "-c", "%u %g %a", "/d", "/d/f")).toBe("7 7 0\n7 7 644\n");
    home.ok("rmi", "mine:1");
    // The supervisor's own clean-up may still be at work.
    await soon(() => expect(readdirSync(join(home.store, "trash"), { recursive: true })).toEqual([]));
    expect(home.ok("ps", "-aq")).toBe("");
  });

  it("has a terminal of its own", () => {
    expect(home.ok("run", "--rm", "-t", "progs:1", "tty")).toBe("/dev/pts/0\r\n");
  });

  it("exports and compares a container that never ran", () => {
    home.ok("create", "--name", "never", "progs:1", "true");
    expect(home.ok("diff", "never")).toBe("");
    expect(home.run("export", "-o", join(home.folder, "never.tar"), "never")).toMatchObject({ code: 0 });
    home.ok("rm", "never");
  });

  it("containers that are started at once have one user namespace above theirs", async () => {
    const names = ["one", "two", "three"];
    const starts = names.map((name) => ["run", "-d", "--name", name, "progs:1", "sleep", "100"]);
    expect(await home.atOnce(...starts)).toEqual([0, 0, 0]);
    const above = names.map((name) => {
      const pid = home.ok("inspect", "-f", "{{.State.Pid}}", name).trim();
      const supervisor = /^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))![1]!;
      return readlinkSync(`/proc/${supervisor}/ns/user`);
    });
    expect(new Set(above).size).toBe(1);
    expect(above[0]).not.toBe(readlinkSync("/proc/self/ns/user"));
    home.ok("rm", "-f", ...names);
  });

  it("lap-runtime takes a bundle with a range of ids", () => {
    const bundle = join(home.folder, "bundle");
    copyFiles(join(bundle, "rootfs"), programFiles(["/bin/sh", "/bin/chown", "/bin/stat", "/bin/cat"]));
    const maps = [
      { containerID: 0, hostID: USER, size: 1 },
      { containerID: 1, hostID: 700_000, size: 1000 },
    ];
    const base = defaultSpec();
    const { resources: _, cgroupsPath: __, ...linux } = base.linux!;
    const namespaces = [...linux.namespaces!.filter(({ type }) => type !== "cgroup"), { type: "user" }];
    const script = "cat /proc/self/gid_map; echo x > /f; chown 9:8 /f; stat -c '%u %g' /f";
    const spec = {
      ...base,
      root: { path: "rootfs" },
      mounts: base.mounts!.filter(({ type }) => type !== "cgroup"),
      process: { ...base.process!, args: ["sh", "-c", script], env: ["PATH=/bin:/usr/bin"] },
      linux: { ...linux, namespaces, uidMappings: maps, gidMappings: maps },
    };
    writeFileSync(join(bundle, "config.json"), JSON.stringify(spec));
    spawnSync("chown", ["-R", `${USER}:${USER}`, bundle]);
    const state = join(home.folder, "state");
    const run = home.runProgram("lap-runtime", "--root", state, "run", "--bundle", bundle, "oci1");
    expect(run).toEqual({
      code: 0,
      stdout: `         0      ${USER}          1\n         1     700000       1000\n9 8\n`,
      stderr: "",
    });
    expect(statSync(join(bundle, "rootfs/f")).uid).toBe(700_008);
    expect(readdirSync(state)).toEqual([]);
  });

  it("is not used without its ids", () => {
    const plain = spawnSync(
      "setpriv",
      ["--reuid", String(USER), "--regid", String(USER), "--clear-groups", nativePart("lap"), "run", "progs:1", "true"],
      {
        env: { PATH: process.env["PATH"], HOME: home.folder },
        encoding: "utf8",
      },
    );
    expect(plain.status).toBe(125);
    expect(plain.stderr).toContain("needs its user namespace");
  });

  const lacks = canDelegate ? [] : ["cgroup mode v2"];
  it.skipIf(lacks.length > 0)(
    `limits bind in a delegated subtree${lacks.length > 0 ? " [needs cgroup mode v2]" : ""}`,
    async () => {
      const top = join(v2!.mountPoint, `lap-delegated-${process.pid}`);
      mkdirSync(top);
      writeFileSync(join(v2!.mountPoint, "cgroup.subtree_control"), "+memory +pids +cpu +io");
      for (const name of ["", "cgroup.procs", "cgroup.subtree_control", "cgroup.threads"])
        chownSync(join(top, name), USER, USER);
      home.cgroup = top;
      try {
        const oom = home.run(
          "run",
          "--rm",
          "-m",
          "32m",
          "progs:1",
          "dd",
          "if=/dev/zero",
          "of=/dev/null",
          "bs=200M",
          "count=1",
        );
        expect(oom).toMatchObject({ code: 137 });
        const limits = "cat /sys/fs/cgroup/pids.max /sys/fs/cgroup/cpu.max; cat /proc/self/cgroup";
        expect(home.ok("run", "--rm", "--pids-limit", "20", "--cpus", "0.2", "progs:1", "sh", "-c", limits)).toBe(
          "20\n20000 100000\n0::/\n",
        );
        const bomb = "i=0; while [ $i -lt 40 ]; do sleep 1 & i=$((i+1)); done; wait";
        expect(home.run("run", "--rm", "--pids-limit", "20", "progs:1", "sh", "-c", bomb).stderr).toMatch(/fork/i);
        home.ok("run", "-d", "--name", "frozen", "progs:1", "sleep", "100");
        home.ok("pause", "frozen");
        home.ok("unpause", "frozen");
        home.ok("rm", "-f", "frozen");
      } finally {
        home.cgroup = undefined;
        // The supervisor's own clean-up stands there as long as it takes.
        await until("nobody stands there", () => removeTree(top), 60_000);
      }
    },
  );
});
