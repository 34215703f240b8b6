// Many at once: fifty runs in parallel, a hundred detached containers, ten commands about one name. Right results, nothing left.
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { needs } from "../support/facts.ts";
import { LapStore, nothingLeft } from "../support/lap.ts";

needs("root", "overlayfs", "native").describe("many at once", () => {
  let store: LapStore;
  beforeAll(() => {
    store = new LapStore();
    store.loadPrograms();
    store.ok("run", "--rm", "progs:1", "true"); // The first one makes what all share.
  });
  afterAll(() => store.close());

  /** Runs `count` tasks, `width` of them at once. */
  async function pooled<T>(count: number, width: number, task: (index: number) => Promise<T>): Promise<T[]> {
    const results: T[] = [];
    let next = 0;
    const worker = async (): Promise<void> => {
      for (let index = next++; index < count; index = next++) results[index] = await task(index);
    };
    await Promise.all(Array.from({ length: width }, worker));
    return results;
  }

  it("fifty runs in parallel: each has its own output and exit code", async () => {
    const runs = await pooled(50, 50, (n) =>
      store.lap("run", "--rm", "progs:1", "sh", "-c", `echo out ${n}; exit ${n}`),
    );
    runs.forEach((run, n) => expect(run).toEqual({ code: n, stdout: `out ${n}\n`, stderr: "" }));
    expect(readdirSync(join(store.root, "containers"))).toEqual([]);
    expect(store.ok("system", "check", "--quick", "--older-than", "0s")).toBe("clean");
  });

  it("a hundred detached containers run side by side, end when asked, and leave nothing", async () => {
    const ids = await pooled(100, 8, async (n) => {
      const { code, stdout, stderr } = await store.lap("run", "-d", "--name", `many${n}`, "progs:1", "sleep", "1000");
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      return stdout.trim();
    });
    expect(new Set(store.ok("ps", "-q", "--no-trunc").split("\n"))).toEqual(new Set(ids));
    const pids = store.ok("inspect", "--format", "{{.State.Pid}}", ...ids).split("\n");
    expect(new Set(pids.map((pid) => readFileSync(`/proc/${pid}/comm`, "utf8")))).toEqual(new Set(["sleep\n"]));
    expect(store.ok("rm", "-f", ...ids).split("\n")).toEqual(ids);
    expect(store.ok("ps", "-aq")).toBe("");
    expect(readdirSync(join(store.root, "containers"))).toEqual([]);
    await nothingLeft(store.folder);
  });

  it("ten creations of one name: one wins, nine are told who", async () => {
    const made = await pooled(10, 10, () => store.lap("create", "--name", "one", "progs:1", "sleep", "1000"));
    const winners = made.filter(({ code }) => code === 0);
    expect(winners).toHaveLength(1);
    const id = winners[0]!.stdout.trim();
    for (const { code, stderr } of made) {
      if (code === 0) continue;
      expect(stderr).toContain(`The container name "/one" is already in use by container "${id}"`);
    }
    expect(store.ok("ps", "-aq", "--no-trunc")).toBe(id);
  });

  it("ten starts of it: it runs once", async () => {
    const started = await pooled(10, 10, () => store.lap("start", "one"));
    expect(started.map(({ code, stderr }) => ({ code, stderr }))).toEqual(
      Array.from({ length: 10 }, () => ({ code: 0, stderr: "" })),
    );
    expect(store.ok("inspect", "--format", "{{.State.Status}}", "one")).toBe("running");
    expect(store.ok("top", "one").split("\n")).toHaveLength(2);
  });

  it("ten removals: it is gone, nobody fails but for its being gone", async () => {
    const removed = await pooled(10, 10, () => store.lap("rm", "-f", "one"));
    for (const { code, stderr } of removed)
      if (code !== 0) expect(stderr).toMatch(/No such container|already in progress/);
    expect(removed.some(({ code }) => code === 0)).toBe(true);
    expect(store.ok("ps", "-aq")).toBe("");
    expect(store.ok("system", "check", "--quick", "--older-than", "0s")).toBe("clean");
  });
});
