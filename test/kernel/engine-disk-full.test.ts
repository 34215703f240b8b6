// A full disk: the store is on a small tmpfs that is filled up to some last bytes. The command fails with a message that says so
// or succeeds; once there is room again the store is in order and the same command does its work. Then the same with EIO.
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { needs, nativePart } from "../support/facts.ts";
import { LapStore, leftovers } from "../support/lap.ts";
import { SCENARIOS, commandOf, gone, retry, settle, type Scenario } from "../support/scenarios.ts";

const DISK_BYTES = 256 * 1024 * 1024;
/** Room that is left; tmpfs gives it out in pages. */
const LEFT_BYTES = [0, 4096, 12_288, 40_960, 163_840];
// Not fsync: Node itself syncs its output when it ends, and aborts when that fails.
const FAILING = ["rename,renameat,renameat2", "mkdir,mkdirat", "syncfs,fdatasync", "symlink"];
const SAID = /no space left|ENOSPC|disk is full/i;

needs("root", "overlayfs", "native").describe("a full disk", () => {
  const mount = mkdtempSync(join(tmpdir(), "lap-full-"));
  let store: LapStore;
  beforeAll(() => {
    const { status, stderr } = spawnSync("mount", ["-t", "tmpfs", "-o", `size=${DISK_BYTES}`, "lap-full", mount]);
    if (status !== 0) throw new Error(stderr.toString());
    mkdirSync(join(mount, "store"));
    store = new LapStore({ root: join(mount, "store") });
    store.loadPrograms();
  });
  afterAll(() => {
    const { folder } = store;
    store[Symbol.dispose]();
    spawnSync("umount", [mount]);
    rmSync(mount, { recursive: true });
    expect([...leftovers(folder), ...leftovers(mount)]).toEqual([]);
  });

  it.each(SCENARIOS)("$name", async (scenario) => {
    for (const left of LEFT_BYTES) {
      scenario.before(store);
      const full = fill(mount, left);
      const { code, stderr } = store.run(commandOf(store, scenario));
      rmSync(full);
      if (code !== 0) expect(stderr).toMatch(SAID);
      await settle(store, `${scenario.name}, ${left} left`);
      await expectDone(store, scenario);
    }
    gone(store);
    await settle(store, scenario.name);
    expect(readdirSync(join(store.root, "containers"))).toEqual([]);
  });
});

needs("root", "overlayfs", "native", "command:strace").describe("a disk that fails", () => {
  let store: LapStore;
  beforeAll(() => {
    store = new LapStore();
    store.loadPrograms();
  });
  afterAll(() => {
    const { folder } = store;
    store[Symbol.dispose]();
    expect(leftovers(folder)).toEqual([]);
  });

  it.each(SCENARIOS)("$name", async (scenario) => {
    for (const call of FAILING) {
      scenario.before(store);
      const { status, stderr } = spawnSync(
        "strace",
        [
          ...["-f", "-o", "/dev/null", "-e", `trace=${call}`, "-e", `inject=${call}:error=EIO:when=2+3`],
          ...[nativePart("lap"), "--root", store.root, ...commandOf(store, scenario)],
        ],
        { timeout: 30_000, stdio: ["ignore", "ignore", "pipe"], killSignal: "SIGKILL" },
      );
      if (status !== 0) expect(stderr.toString()).toMatch(/EIO|i\/o error|input\/output error/i);
      await settle(store, `${scenario.name}, ${call}`);
      await expectDone(store, scenario);
    }
    gone(store);
    await settle(store, scenario.name);
  });
});

async function expectDone(store: LapStore, scenario: Scenario): Promise<void> {
  const { code, stderr } = await retry(store, scenario);
  if (code !== 0 && scenario.done?.test(stderr) !== true) throw new Error(`retry: ${stderr}`);
  scenario.after(store);
}

/** Fills a filesystem up to `left` bytes; the file that does it. */
function fill(mount: string, left: number): string {
  const path = join(mount, "filler");
  const { bavail, bsize } = statfsSync(mount);
  spawnSync("fallocate", ["-l", String(Math.max(0, bavail * bsize - left)), path]);
  return path;
}
