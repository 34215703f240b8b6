// lap-runtime as a command: the life of a container, bad input, user namespaces, and the same view from inside as runc's.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { RuntimeSpec } from "@lapstrake/base";
import { hasFact, nativePart, needs } from "../support/facts.ts";
import { until } from "../support/until.ts";
import { Bundle, newId, spec, type Result } from "./core-bundle.ts";

const PROGRAMS = [
  "/bin/sh",
  "/bin/sleep",
  "/bin/cat",
  "/bin/ls",
  "/bin/grep",
  "/usr/bin/id",
  "/usr/bin/readlink",
  "/usr/bin/stat",
];
let bundle: Bundle;
let dir = "";

const lap = (...args: readonly string[]): Result => bundle.lap(...args);
const lapDetached = (...args: readonly string[]): number | null => bundle.lapDetached(...args);
const callWith = (program: string, ...args: readonly string[]): Result => bundle.call(program, ...args);
const writeConfig = (config: unknown): void => bundle.writeConfig(config);

needs("root", "native").describe("lap-runtime", () => {
  beforeEach(() => {
    bundle = new Bundle(PROGRAMS);
    dir = bundle.dir;
  });
  afterEach(() => bundle[Symbol.dispose]());

  test("create, start, state, kill, delete", async () => {
    const id = newId();
    writeConfig(spec(["sleep", "100"]));
    expect(lapDetached("create", "--bundle", dir, "--pid-file", join(dir, "pid"), id)).toBe(0);
    const pid = Number(readFileSync(join(dir, "pid"), "utf8"));
    // Engines wait for it at once, as their own child: the helper has gone, not only told.
    const [, parent] = /^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))!;
    expect(readFileSync(`/proc/${parent}/comm`, "utf8")).not.toMatch(/^lap-shim/);
    expect(JSON.parse(lap("state", id).stdout)).toMatchObject({ id, status: "created", pid, bundle: dir });
    expect(lap("start", id).code).toBe(0);
    expect(JSON.parse(lap("state", id).stdout)).toMatchObject({ status: "running" });
    expect(lap("start", id).stderr).toContain("cannot start a container in the running state");
    expect(lap("delete", id).stderr).toContain("not stopped");
    expect(JSON.parse(lap("ps", "--format", "json", id).stdout)).toEqual([pid]);
    expect(lap("exec", id, "sh", "-c", "exit 9").code).toBe(9);
    expect(lap("kill", id, "0")).toEqual({ code: 0, stdout: "", stderr: "" });
    expect(lap("kill", id, "SIGKILL").code).toBe(0);
    await until("stopped", () => lap("state", id).stdout.includes("stopped"));
    expect(lap("kill", id, "9").stderr).toContain("container not running");
    expect(lap("delete", id).code).toBe(0);
    expect(lap("state", id).stderr).toContain("container does not exist");
    expect(lap("delete", "--force", id).code).toBe(0);
    await bundle.nothingLeft(id);
  });

  test("a working directory that the user may not enter; a created container ends by a signal", async () => {
    const config = spec(["sh", "-c", "id -u; pwd"]);
    const home = join(dir, "rootfs", "home", "other");
    mkdirSync(home, { recursive: true });
    spawnSync("chown", ["4242", home]);
    spawnSync("chmod", ["700", home]);
    writeConfig({ ...config, process: { ...config.process!, cwd: "/home/other", user: { uid: 4243, gid: 1 } } });
    expect(lap("run", "--bundle", dir, newId())).toEqual({ code: 0, stdout: "4243\n/home/other\n", stderr: "" });
    const id = newId();
    expect(lapDetached("create", "--bundle", dir, id)).toBe(0);
    expect(lap("kill", id, "CHLD").code).toBe(0);
    expect(JSON.parse(lap("state", id).stdout)).toMatchObject({ status: "created" });
    expect(lap("kill", id, "TERM").code).toBe(0);
    await until("it has ended", () => lap("state", id).stdout.includes('"stopped"'));
    expect(lap("delete", id).code).toBe(0);
    await bundle.nothingLeft(id);
  });

  test("a run that is killed takes its container along, and leaves what delete removes", async () => {
    writeConfig(spec(["sleep", "1000"]));
    const id = newId();
    const [program, ...words] = bundle.command("run", "--bundle", dir, id);
    const child = spawn(program, words, { stdio: "ignore" });
    const isAt = (status: string): boolean => lap("state", id).stdout.includes(`"${status}"`);
    await until("it runs", () => isAt("running"));
    child.kill("SIGKILL");
    await until("its container has ended", () => isAt("stopped"));
    expect(lap("delete", "--force", id).code).toBe(0);
    await bundle.nothingLeft(id);
  });

  test("run passes streams and the exit code", async () => {
    const id = newId();
    writeConfig(spec(["sh", "-c", "cat; echo err >&2; exit 42"]));
    const args = ["--root", join(dir, "state"), "run", "--bundle", dir, id];
    const result = spawnSync(nativePart("lap-runtime"), args, { encoding: "utf8", input: "in\n", timeout: 30_000 });
    expect(result).toMatchObject({ status: 42, stdout: "in\n", stderr: "err\n" });
    await bundle.nothingLeft(id);
  });

  test("a missing program fails at create, in words that engines know, in the log too", async () => {
    const id = newId();
    writeConfig(spec(["nosuch"]));
    const log = join(dir, "log.json");
    expect(lap("--log", log, "--log-format", "json", "create", "--bundle", dir, id).code).toBe(1);
    const last = JSON.parse(readFileSync(log, "utf8").trim().split("\n").at(-1)!) as { level: string; msg: string };
    expect(last).toMatchObject({
      level: "error",
      msg: 'unable to start container process: exec: "nosuch": executable file not found in $PATH',
    });
    await bundle.nothingLeft(id);
  });

  const bad: readonly (readonly [string, unknown, RegExp])[] = [
    ["null", "null", /config\.json/],
    ["broken JSON", "{", /config\.json/],
    ["deep nesting", `${"[".repeat(1000)}${"]".repeat(1000)}`, /nested/],
    ["a list", "[]", /not an object/],
    ["another version", { ociVersion: "2.0.0" }, /ociVersion/],
    ["a wrong type", { ...spec(["sh"]), hostname: 5 }, /hostname: is not a string/],
    [
      "a negative id",
      { ...spec(["sh"]), process: { cwd: "/", args: ["sh"], user: { uid: -1 } } },
      /process\.user\.uid/,
    ],
    [
      "an unknown namespace",
      { ...spec(["sh"]), linux: { namespaces: [{ type: "moon" }] } },
      /linux\.namespaces\[0\]\.type/,
    ],
    ["an absent root", { ...spec(["sh"]), root: { path: "nowhere" } }, /root\.path/],
    [
      "an unknown sysctl",
      { ...spec(["sh"]), linux: { ...spec(["sh"]).linux, sysctl: { "net.nothing.here": "1" } } },
      /sysctl/,
    ],
  ];
  test.each(bad)("bad input: %s is one clear line, exit code 1, nothing left", async (_name, config, message) => {
    const id = newId();
    writeConfig(config);
    const result = lap("create", "--bundle", dir, id);
    expect(result.code).toBe(1);
    expect(result.stderr.trim().split("\n")).toHaveLength(1);
    expect(result.stderr).toMatch(message);
    await bundle.nothingLeft(id);
  });

  test.each(["a/b", "..", "a\nb", ""])("bad input: the id %j is refused", (id) => {
    writeConfig(spec(["true"]));
    expect(lap("create", "--bundle", dir, id)).toMatchObject({ code: 1 });
  });

  test("a start that fails without a mount namespace leaves no mount of its own", async () => {
    const namespaces = spec(["true"]).linux!.namespaces!.filter(({ type }) => type !== "mount");
    const linux = { ...spec(["true"]).linux, namespaces, maskedPaths: [], readonlyPaths: [] };
    writeConfig(spec(["nosuch-program"], { linux }));
    const id = newId();
    const { code, stderr } = lap("run", "--bundle", dir, id);
    const left = readFileSync("/proc/self/mountinfo", "utf8")
      .split("\n")
      .filter((line) => line.includes(dir));
    for (const line of left.toReversed()) spawnSync("umount", [line.split(" ")[4]!]);
    expect([code, left]).toEqual([1, []]);
    expect(stderr).toContain("nosuch-program");
    await bundle.nothingLeft(id);
  });

  test("a user namespace maps root to another id", async () => {
    const id = newId();
    const base = spec(["sh", "-c", "cat /proc/self/uid_map; id -u; stat -c %u /dev/shm; echo x > /dev/null"]);
    const namespaces = [...base.linux!.namespaces!, { type: "user" as const }];
    const map = [{ containerID: 0, hostID: 100_000, size: 65_536 }];
    writeConfig({ ...base, linux: { ...base.linux, namespaces, uidMappings: map, gidMappings: map } });
    const result = lap("run", "--bundle", dir, id);
    expect(result.stderr).toBe("");
    expect(result.stdout).toMatch(/^\s*0\s+100000\s+65536\n0\n0\n$/);
    await bundle.nothingLeft(id);
  });

  needs("clone-open-to-all").test("a user without privilege runs, execs and deletes, with its own id as root", () => {
    const id = newId();
    const uid = 65_533;
    const stdio = (args: readonly string[]): "ignore" | "pipe" => (args.includes("--detach") ? "ignore" : "pipe");
    const asUser = (...args: string[]): Result => {
      const all = ["--root", join(dir, "user-state"), ...args];
      const { status, stdout, stderr } = spawnSync(nativePart("lap-runtime"), all, {
        encoding: "utf8",
        timeout: 30_000,
        uid,
        gid: uid,
        cwd: dir,
        stdio: stdio(args),
      });
      return { code: status, stdout, stderr };
    };
    spawnSync("chown", ["-R", `${uid}:${uid}`, dir]);
    expect(asUser("spec", "--rootless")).toMatchObject({ code: 0, stderr: "" });
    const config = JSON.parse(readFileSync(join(dir, "config.json"), "utf8")) as RuntimeSpec;
    writeConfig({ ...config, process: { ...config.process, terminal: false, args: ["sleep", "100"] } });
    expect(asUser("run", "--detach", id).code).toBe(0);
    expect(
      asUser("exec", id, "sh", "-c", "id -u; cat /proc/self/uid_map; ls -d /proc/1 > /dev/null; exit 6"),
    ).toMatchObject({
      code: 6,
      stdout: expect.stringMatching(/^0\n\s+0\s+65533\s+1\n$/) as string,
    });
    expect(asUser("update", "--pids-limit", "5", id).code).toBe(1);
    expect(asUser("delete", "--force", id)).toMatchObject({ code: 0, stderr: "" });
    expect(existsSync(join(dir, "user-state", id))).toBe(false);
  });

  test("links of an image lead nowhere outside", () => {
    const id = newId();
    const outside = join(dir, "outside");
    mkdirSync(outside);
    for (const name of ["proc", "sys", "dev"]) rmSync(join(dir, "rootfs", name), { recursive: true });
    for (const name of ["proc", "sys", "dev", "data"]) spawnSync("ln", ["-s", outside, join(dir, "rootfs", name)]);
    const base = spec(["sh", "-c", "echo x > /data/inside; ls -d /proc/self"]);
    writeConfig({ ...base, mounts: [...base.mounts!, { destination: "/data", type: "tmpfs", source: "tmpfs" }] });
    lap("run", "--bundle", dir, id);
    expect(readdirSync(outside)).toEqual([]);
    lap("delete", "--force", id);
  });

  test.skipIf(!hasFact("command:runc"))("from inside it looks as under runc", () => {
    const script =
      "cat /proc/self/cgroup; grep -E '^(Cap|NoNew|Sig(Ign|Blk)|Groups|Umask)' /proc/self/status; cat /proc/self/limits; ls -l /dev | while read a b c d e f rest; do echo $a $e $f; done; ls /proc/self/fd; id; pwd";
    const rlimits = [{ type: "RLIMIT_NOFILE", soft: 1000, hard: 2000 }];
    const base = spec(["sh", "-c", script]);
    const resources = { devices: [{ allow: false, access: "rwm" }] };
    writeConfig({
      ...base,
      ociVersion: "1.0.2",
      process: { ...base.process, rlimits, noNewPrivileges: true },
      linux: { ...base.linux, resources },
    });
    const ours = lap("run", "--bundle", dir, newId());
    const theirs = callWith("runc", "run", "--bundle", dir, newId());
    expect(theirs.stderr).toBe("");
    expect(ours.stdout).toBe(theirs.stdout);
  });
});
