// A full disk: the store is on a small tmpfs that is filled up to some last bytes. The command fails with a message that says so
// or succeeds; once there is room again the store is in order and the same command does its work. Then the same with EIO. LAP_CRASH_ALL=1 tries all.
import { spawnSync } from "node:child_process";
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { needs } from "../support/facts.ts";
import { LapStore, nothingLeft } from "../support/lap.ts";
import {
  TRIES_ALL,
  commandOf,
  expectOrder,
  gone,
  perform,
  retry,
  scenarios,
  settle,
  type Scenario,
} from "../support/scenarios.ts";
import { until } from "../support/until.ts";

const DISK_BYTES = 256 * 1024 * 1024;
/** Room that is left; tmpfs gives it out in pages. */
const LEFT_BYTES = TRIES_ALL ? [0, 4096, 12_288, 40_960, 163_840] : [12_288];
// Not fsync: Node itself syncs its output when it ends, and aborts when that fails.
const FAILING = ["rename,renameat,renameat2", "mkdir,mkdirat", "syncfs,fdatasync", "symlink"];
const SAID = /no space left|ENOSPC|disk is full/i;

needs("root", "overlayfs", "native").describe("a full disk", () => {
  let mount: string;
  let store: LapStore;
  beforeAll(() => {
    mount = mkdtempSync(join(tmpdir(), "lap-full-"));
    const { status, stderr } = spawnSync("mount", ["-t", "tmpfs", "-o", `size=${DISK_BYTES}`, "lap-full", mount]);
    if (status !== 0) throw new Error(stderr.toString());
    mkdirSync(join(mount, "store"));
    store = new LapStore({ root: join(mount, "store") });
    store.loadPrograms();
  });
  afterAll(async () => {
    const { folder } = store;
    store[Symbol.dispose]();
    // The keeper leaves when it has nothing more to do.
    await until("the disk is free", () => spawnSync("umount", [mount]).status === 0);
    rmSync(mount, { recursive: true });
    await nothingLeft(folder);
    await nothingLeft(mount);
  });

  it.each(scenarios(1, 4))("$name", async (scenario) => {
    for (const left of LEFT_BYTES) {
      scenario.before(store);
      const full = fill(mount, left);
      const { code, stderr } = perform(store, scenario);
      rmSync(full);
      if (code !== 0) expect(stderr).toMatch(SAID);
      const what = `${scenario.name}, ${left} left`;
      await settle(store, what);
      await retry(store, scenario, what);
    }
    await expectOrder(store);
  });

  it("ends are seen while nothing can be written about them", async () => {
    gone(store);
    store.ok("run", "-d", "--name", "cc", "progs:1", "sleep", "100");
    store.ok("run", "-d", "--name", "dd", "progs:1", "sleep", "100");
    const [lost, killed] = ["cc", "dd"].map((name) => store.ok("inspect", "--format", "{{.State.Pid}}", name));
    const full = fill(mount, 0);
    process.kill(Number(/^PPid:\t(\d+)$/m.exec(readFileSync(`/proc/${lost}/status`, "utf8"))![1]), "SIGKILL");
    process.kill(Number(killed), "SIGKILL");
    const states = (): string => store.ok("ps", "-a", "--format", "{{.Names}} {{.Status}}");
    await until("both ended", () => /^dd Exited \(137\).*\ncc Exited \(137\)/.test(states()));
    rmSync(full);
    await settle(store, "ends on a full disk");
    expect(store.ok("rm", "cc", "dd")).toBe("cc\ndd");
  });
});

needs("root", "overlayfs", "native", "command:strace").describe("a disk that fails", () => {
  let store: LapStore;
  beforeAll(() => {
    store = new LapStore();
    store.loadPrograms();
  });
  afterAll(() => store.close());

  it.each(scenarios(3, 4))("$name", async (scenario) => {
    for (const [at, call] of FAILING.entries()) {
      if (!TRIES_ALL && at !== (scenario.index >> 2) % FAILING.length) continue;
      scenario.before(store);
      const { status, stderr } = runFailing(store, scenario, call);
      if (status !== 0) expect(stderr).toMatch(/EIO|i\/o error|input\/output error/i);
      const what = `${scenario.name}, ${call}`;
      await settle(store, what);
      await retry(store, scenario, what);
    }
    await expectOrder(store);
  });
});

/** Runs the command with some of its calls failing. Its errors go to a file: a container that stays would keep a pipe open. */
function runFailing(store: LapStore, scenario: Scenario, call: string): { status: number | null; stderr: string } {
  const path = join(store.folder, "errors");
  const errors = openSync(path, "w");
  const { status } = spawnSync(
    "strace",
    [
      ...["-D", "-f", "-o", "/dev/null", "-e", `trace=${call}`, "-e", `inject=${call}:error=EIO:when=2+3`],
      ...commandOf(store, scenario),
    ],
    { timeout: 30_000, stdio: ["ignore", "ignore", errors], killSignal: "SIGKILL" },
  );
  closeSync(errors);
  return { status, stderr: readFileSync(path, "utf8") };
}

/** Fills a filesystem up to `left` bytes; the file that does it. */
function fill(mount: string, left: number): string {
  const path = join(mount, "filler");
  const { bavail, bsize } = statfsSync(mount);
  spawnSync("fallocate", ["-l", String(Math.max(0, bavail * bsize - left)), path]);
  return path;
}
