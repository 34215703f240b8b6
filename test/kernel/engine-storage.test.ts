// `--storage-opt size=`: a bound on what a container writes, held by the kernel; what is read, kept and removed with it.
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { needs } from "../support/facts.ts";
import { LapStore } from "../support/lap.ts";
import { parentOf } from "../support/processes.ts";
import { soon } from "../support/until.ts";

const SIZE = ["--network=none", "--storage-opt", "size=32m"];

needs("root", "overlayfs", "native", "loop-ext4").describe("a bound on what a container writes", () => {
  let store: LapStore;
  beforeAll(() => {
    store = new LapStore();
    store.loadPrograms();
  });
  afterAll(async () => {
    await store.close();
    await nothingHeld();
  });
  /** A loop device goes with its last mount, and that with its namespace. */
  const nothingHeld = (): Promise<void> => soon(() => expect(held(store.folder)).toEqual([]));

  const fill = "dd if=/dev/zero of=/big bs=1M count=60 2>&1; stat -c %s /big";
  const check = (...flags: string[]): string[] =>
    store
      .run(["system", "check", "--quick", "--older-than", "0s", ...flags])
      .stdout.trimEnd()
      .split("\n");

  it("ends in ENOSPC, and is kept over a stop and a start", async () => {
    const out = store.ok("run", "--name", "full", ...SIZE, "progs:1", "sh", "-c", `echo kept > /kept; ${fill}`);
    expect(out).toContain("No space left on device");
    const written = Number(out.split("\n").at(-1));
    expect(written).toBeGreaterThan(10 * 1024 * 1024);
    expect(written).toBeLessThan(32 * 1024 * 1024);
    expect(store.ok("start", "-a", "full")).toContain("No space left on device");
    store.ok("rm", "full");
    await nothingHeld();
  });

  it("is compared, copied and committed like any other", () => {
    store.ok("run", "--name", "read", ...SIZE, "progs:1", "sh", "-c", "echo 1 > /new; rm /data/file");
    expect(store.ok("diff", "read").split("\n").toSorted()).toEqual(["A /new", "C /data", "D /data/file"]);
    writeFileSync(join(store.folder, "in"), "in");
    store.ok("cp", join(store.folder, "in"), "read:/in");
    store.ok("cp", "read:/new", join(store.folder, "out"));
    expect(readFileSync(join(store.folder, "out"), "utf8")).toBe("1\n");
    store.ok("commit", "read", "bound:1");
    expect(store.ok("run", "--rm", "bound:1", "sh", "-c", "cat /new /in; ls /data")).toBe(
      "1\ninbadscript\nnoexec\nsub",
    );
    store.ok("rm", "read");
  });

  it("leaves nothing after --rm, rm -f, or a supervisor that was killed", async () => {
    store.ok("run", "--rm", ...SIZE, "progs:1", "true");
    const id = store.ok("run", "-d", "--name", "hit", ...SIZE, "progs:1", "sleep", "100");
    // A mount and its device.
    expect(held(store.folder)).toHaveLength(2);
    const pid = Number(store.ok("inspect", "-f", "{{.State.Pid}}", "hit"));
    process.kill(parentOf(pid), "SIGKILL");
    expect(store.run(["wait", "hit"]).stdout.trim()).toBe("137");
    store.ok("rm", "-f", id);
    await nothingHeld();
  });

  it("is refused where it cannot be held", () => {
    const refused = (...flags: string[]): string => store.run(["create", ...flags, "progs:1", "true"]).stderr;
    expect(refused("--storage-opt", "size=1m")).toContain("size must be 16m at least");
    expect(refused("--storage-opt", "dm.basesize=1g")).toContain("unknown option dm.basesize");
    expect(readdirSync(join(store.root, "containers"))).toEqual([]);
  });

  it("is found by system check when its container went another way", async () => {
    const id = store.ok("run", "-d", ...SIZE, "progs:1", "true");
    store.ok("wait", id);
    const dir = join(store.root, "containers", id);
    rmSync(join(dir, "record.json"));
    expect(check()).toContain(`waste: ${dir}: something is mounted in it, and no container has it`);
    check("--repair");
    expect(existsSync(dir)).toBe(false);
    await soon(() => expect(check()).toEqual(["clean"]));
    await nothingHeld();
  });

  it("finds volumes without a record, and gives them one", () => {
    store.ok("volume", "create", "lost");
    mkdirSync(join(store.root, "volumes/lost/_data/kept"));
    rmSync(join(store.root, "volumes/lost/record.json"));
    expect(store.ok("volume", "ls", "-q")).toBe("");
    expect(check()[0]).toMatch(/^damage: .*volumes\/lost: a volume without a readable record/);
    check("--repair");
    expect(store.ok("run", "--rm", "-v", "lost:/v", "progs:1", "ls", "/v")).toBe("kept");
    store.ok("create", "--name", "user", "-v", "lost:/v", "progs:1");
    renameSync(join(store.root, "volumes/lost"), join(store.folder, "away"));
    expect(check()[0]).toMatch(/^damage: user: its volume lost is not there/);
    renameSync(join(store.folder, "away"), join(store.root, "volumes/lost"));
    expect(check()).toEqual(["clean"]);
    store.ok("rm", "user");
    store.ok("volume", "rm", "lost");
  });
});

/** Loop devices and mounts of a folder. */
function held(folder: string): string[] {
  const mounts = readFileSync("/proc/self/mountinfo", "utf8").split("\n");
  const images = readdirSync("/sys/block").flatMap((name) => {
    const file = join("/sys/block", name, "loop/backing_file");
    return existsSync(file) ? [readFileSync(file, "utf8")] : [];
  });
  return [...mounts.filter((line) => line.includes(`${folder}/`)), ...images.filter((path) => path.includes(folder))];
}
