// Removals that fail or are killed half-way: the container is `dead`, is shown as that, cannot be started, and `rm` begins again. What the
// kernel refuses to delete is an immutable file, chattr(1).
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { bootId, startTime } from "@lapstrake/core";
import { needs, titleUnless } from "../support/facts.ts";
import { LapStore } from "../support/lap.ts";

needs("root", "overlayfs", "native", "command:chattr").describe("a removal", () => {
  let store: LapStore;
  beforeAll(() => {
    store = new LapStore();
    store.loadPrograms();
  });
  afterAll(() => store.close());

  const make = (name: string, ...options: readonly string[]): string =>
    store.ok("create", "--name", name, "--network", "none", ...options, "progs:1", "sleep", "100");
  const dir = (id: string): string => join(store.root, "containers", id);
  const listed = (...filters: readonly string[]): string =>
    store.ok("ps", "-a", "--format", "{{.Names}} {{.State}} {{.Status}}", ...filters.flatMap((each) => ["-f", each]));
  const chattr = (flag: string, path: string): boolean => spawnSync("chattr", [flag, path]).status === 0;

  const lacks = !isImmutable();
  function isImmutable(): boolean {
    const path = join(tmpdir(), `lap-immutable-${process.pid}`);
    writeFileSync(path, "");
    const works = chattr("+i", path);
    chattr("-i", path);
    spawnSync("rm", ["-f", path]);
    return works;
  }

  it.skipIf(lacks)(
    titleUnless(lacks, "immutable files", "that fails leaves a dead container, which is removed at the next try"),
    () => {
      const id = make("r1");
      const stuck = join(dir(id), "upper", "stuck");
      writeFileSync(stuck, "");
      expect(chattr("+i", stuck)).toBe(true);
      try {
        const { code, stderr } = store.run(["rm", "r1"]);
        expect({ code, stderr }).toEqual({
          code: 1,
          stderr: expect.stringContaining("failed to remove root filesystem") as string,
        });
        expect(listed("status=dead")).toBe("r1 dead Dead");
        expect(store.ok("inspect", "-f", "{{.State.Status}} {{.State.Dead}} {{.State.Running}}", "r1")).toBe(
          "dead true false",
        );
        expect(store.run(["start", "r1"]).stderr).toContain("container is marked for removal and cannot be started");
        expect(store.run(["rm", "r1"]).code).toBe(1);
        expect(store.ok("ps", "-aq", "--no-trunc")).toBe(id);
      } finally {
        chattr("-i", stuck);
      }
      store.ok("rm", "r1");
      expect(listed()).toBe("");
      expect([...readdirSync(join(store.root, "trash")), ...readdirSync(join(store.root, "names"))]).toEqual([]);
    },
  );

  it("that is under way is shown, and one that was killed is dead", () => {
    const id = make("r2");
    const mark = (pid: number, since: number | undefined): void =>
      writeFileSync(join(dir(id), "removing"), JSON.stringify({ by: { pid, startTime: since, bootId: bootId() } }));
    mark(process.pid, startTime(process.pid));
    expect(listed("status=removing")).toBe("r2 removing Removal In Progress");
    expect(store.ok("inspect", "-f", "{{.State.Status}}", "r2")).toBe("removing");
    mark(process.pid, 1);
    expect(listed("status=dead", "name=r2")).toBe("r2 dead Dead");
    expect(store.ok("rm", "r2")).toBe("r2");
    expect(existsSync(dir(id))).toBe(false);
  });

  it("is ended by system check --repair", () => {
    const id = make("r3");
    writeFileSync(join(dir(id), "removing"), "{}");
    expect(store.run(["system", "check", "--repair", "--older-than", "0s"]).stdout).toContain(
      "its removal was broken off",
    );
    expect(listed()).toBe("");
  });
});
