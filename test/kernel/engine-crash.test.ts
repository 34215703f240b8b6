// Crash safety by injection: each command is killed at each call that changes a disk or the kernel's state
// (strace -e inject). After each kill `system check --repair` leaves nothing to complain of, and a plain retry does the work.
// LAP_CRASH_ALL=1 kills at every call; else at every 29th, others for each scenario.
import { spawnSync, type SpawnSyncReturns } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { env } from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { needs, nativePart } from "../support/facts.ts";
import { LapStore, leftovers, type LapResult } from "../support/lap.ts";

const CALLS = [
  "fsync,fdatasync,syncfs,ftruncate",
  "rename,renameat,renameat2,link,linkat,symlink,symlinkat,mkdir,mkdirat,rmdir,unlink,unlinkat",
  "mount,umount2,move_mount,fsmount,open_tree,mount_setattr,pivot_root,setns",
].join(",");
const STEP = env["LAP_CRASH_ALL"] === undefined ? 29 : 1;
const SETTLE_MS = 5_000;

/** One command, what it needs before, and what is true once it has been done. */
interface Scenario {
  readonly name: string;
  readonly command: readonly string[];
  /** Makes the state that the command starts from, whatever is there. */
  readonly before: (store: LapStore) => void;
  /** After the retry; throws when the work is not done. */
  readonly after: (store: LapStore) => void;
  /** A retry may find that the killed command had got that far. */
  readonly done?: RegExp;
  /** For some seconds the dead command's container may still be about to start. */
  readonly waits?: boolean;
}

const run = (store: LapStore, ...args: readonly string[]): number | null => store.run(args).code;
const gone = (store: LapStore): void => void run(store, "rm", "-f", "cc", "dd");
const state = (store: LapStore, name: string): string =>
  store.ok("inspect", "--format", "{{.State.Status}} {{.State.ExitCode}}", name);

const SCENARIOS: readonly Scenario[] = [
  {
    name: "create",
    command: ["create", "--name", "cc", "progs:1", "sh", "-c", "exit 3"],
    before: gone,
    after: (store) => {
      run(store, "start", "-a", "cc");
      expect(state(store, "cc")).toBe("exited 3");
    },
    done: /already in use/,
  },
  {
    name: "run --rm",
    command: ["run", "--rm", "--name", "cc", "progs:1", "true"],
    before: gone,
    after: (store) => expect(store.ok("ps", "-aq")).toBe(""),
    waits: true,
  },
  {
    name: "run -d",
    command: ["run", "-d", "--name", "cc", "progs:1", "sleep", "100"],
    before: gone,
    after: (store) => {
      run(store, "start", "cc");
      expect(state(store, "cc")).toBe("running 0");
    },
    done: /already in use/,
  },
  {
    name: "start",
    command: ["start", "cc"],
    before: (store) => {
      gone(store);
      store.ok("create", "--name", "cc", "progs:1", "sleep", "100");
    },
    after: (store) => expect(state(store, "cc")).toBe("running 0"),
  },
  {
    name: "rm -f",
    command: ["rm", "-f", "cc"],
    before: (store) => {
      gone(store);
      store.ok("run", "-d", "--name", "cc", "progs:1", "sleep", "100");
    },
    after: (store) => expect(store.ok("ps", "-aq")).toBe(""),
    done: /No such container/,
  },
  {
    name: "rename",
    command: ["rename", "cc", "dd"],
    before: (store) => {
      gone(store);
      store.ok("create", "--name", "cc", "progs:1", "true");
    },
    after: (store) => expect(store.ok("ps", "-a", "--format", "{{.Names}}")).toBe("dd"),
    done: /No such container: cc/,
  },
  {
    name: "commit",
    command: ["commit", "cc", "made:1"],
    before: (store) => {
      gone(store);
      run(store, "rmi", "made:1");
      store.ok("run", "--name", "cc", "progs:1", "sh", "-c", "echo x > /made");
    },
    after: (store) => expect(store.ok("run", "--rm", "made:1", "cat", "/made")).toBe("x"),
  },
  {
    name: "rmi",
    command: ["rmi", "made:2"],
    before: (store) => {
      gone(store);
      store.ok("run", "--name", "cc", "progs:1", "touch", "/other");
      store.ok("commit", "cc", "made:2");
      gone(store);
    },
    after: (store) => expect(store.ok("images", "-q", "made:2")).toBe(""),
    done: /No such image/,
  },
  {
    name: "load",
    command: ["load", "-i", "LAYOUT"],
    before: (store) => {
      gone(store);
      run(store, "rmi", "-f", "made:1", "made:2", "progs:1");
    },
    after: (store) => expect(store.ok("run", "--rm", "progs:1", "echo", "hi")).toBe("hi"),
  },
];

needs("root", "overlayfs", "native", "command:strace").describe("killed at any call", () => {
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

  it.each(SCENARIOS.map((scenario, index) => ({ ...scenario, index })))("$name", async (scenario) => {
    scenario.before(store);
    const points = pointsOf(store, scenario).filter((_, at) => at % STEP === scenario.index % Math.min(STEP, 3));
    expect(points.length).toBeGreaterThan(0);
    for (const [call, nth] of points) {
      scenario.before(store);
      // It may come to fewer calls than last time, when others of the machine's processes were quicker.
      if (!killedAt(store, scenario, call, nth)) continue;
      await settle(store, `${scenario.name}, ${call} ${nth}`);
      const { code, stderr } = await retry(store, scenario);
      if (code !== 0 && scenario.done?.test(stderr) !== true) {
        throw new Error(`retry after ${call} ${nth}: ${stderr}`);
      }
      scenario.after(store);
    }
    gone(store);
    await settle(store, scenario.name);
    expect(readdirSync(join(store.root, "containers"))).toEqual([]);
  });
});

async function retry(store: LapStore, scenario: Scenario): Promise<LapResult> {
  const deadline = Date.now() + 2 * SETTLE_MS;
  for (;;) {
    const result = store.run(commandOf(store, scenario));
    if (result.code === 0 || scenario.waits !== true || Date.now() > deadline) return result;
    await sleep(200);
  }
}

function commandOf(store: LapStore, { command }: Scenario): string[] {
  return command.map((word) => (word === "LAYOUT" ? join(store.folder, "layout") : word));
}

function traced(store: LapStore, scenario: Scenario, options: readonly string[]): SpawnSyncReturns<Buffer> {
  const lap = [nativePart("lap"), "--root", store.root, ...commandOf(store, scenario)];
  return spawnSync("strace", ["-f", "-e", `trace=${CALLS}`, ...options, ...lap], {
    timeout: 30_000,
    stdio: "ignore",
    killSignal: "SIGKILL",
  });
}

/** Every call that the command and its helper make: its name, and which of its kind it is for its process. */
function pointsOf(store: LapStore, scenario: Scenario): [call: string, nth: number][] {
  const file = join(store.folder, "trace");
  traced(store, scenario, ["-o", file]);
  const counts = new Map<string, number>();
  const most = new Map<string, number>();
  for (const line of readFileSync(file, "latin1").split("\n")) {
    const [, pid, call] = /^(\d+) +(\w+)\(/.exec(line) ?? [];
    if (pid === undefined || call === undefined) continue;
    const count = (counts.get(pid + call) ?? 0) + 1;
    counts.set(pid + call, count);
    most.set(call, Math.max(count, most.get(call) ?? 0));
  }
  return [...most].flatMap(([call, count]) => Array.from({ length: count }, (_, i): [string, number] => [call, i + 1]));
}

/** Runs the command and kills whoever of its processes makes that call; false when none did. */
function killedAt(store: LapStore, scenario: Scenario, call: string, nth: number): boolean {
  const file = join(store.folder, "trace");
  traced(store, scenario, ["-o", file, "-e", `inject=${call}:signal=SIGKILL:when=${nth}`]);
  return readFileSync(file, "latin1").includes("killed by SIGKILL");
}

/** What the dead process's children still do ends by itself; then a check mends what is left, and the next finds nothing. */
async function settle(store: LapStore, what: string): Promise<void> {
  const deadline = Date.now() + SETTLE_MS;
  for (;;) {
    const repair = store.run(["system", "check", "--quick", "--repair", "--older-than", "0s"]);
    const again = store.run(["system", "check", "--older-than", "0s"]);
    if (repair.code === 0 && again.stdout === "clean\n") return;
    if (Date.now() > deadline)
      throw new Error(`${what}: ${repair.stdout}${repair.stderr}${again.stdout}${again.stderr}`);
    await sleep(50);
  }
}
