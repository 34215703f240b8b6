// `system df` says what the disk says (du), layers shared by images once, and prune brings the disk back to where it was.
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { needs } from "../support/facts.ts";
import { LapStore } from "../support/lap.ts";

needs("root", "overlayfs", "native", "command:du").describe("disk usage", () => {
  let store: LapStore;
  beforeAll(() => {
    store = new LapStore();
    store.loadPrograms();
  });
  afterAll(() => store.close());

  /** Bytes on the disk of folders of the store, without the folders themselves. */
  const du = (...folders: readonly string[]): number =>
    folders.reduce((sum, folder) => {
      const script = `find ${join(store.root, folder)} -mindepth 1 -maxdepth 1 -print0 | du -scB1 --files0-from=- | tail -1`;
      return sum + Number.parseInt(execFileSync("sh", ["-c", script], { encoding: "utf8" }), 10);
    }, 0);
  const df = (): Record<string, Record<string, string>> =>
    Object.fromEntries(
      store
        .ok("system", "df", "--format", "{{json .}}")
        .split("\n")
        .map((line) => JSON.parse(line) as Record<string, string>)
        .map((row) => [row["Type"]!, row]),
    );
  /** Docker shows four digits. */
  const near = (shown: string, bytes: number): void => {
    const [, number = "", unit = ""] = /^([\d.]+)(\w+)$/.exec(shown) ?? [];
    const scale: Readonly<Record<string, number>> = { B: 1, kB: 1e3, MB: 1e6, GB: 1e9 };
    expect(Math.abs(Number(number) * scale[unit]! - bytes)).toBeLessThanOrEqual(bytes / 1000);
  };

  it("counts what images share once", () => {
    store.ok("run", "--name", "df1", "--network", "none", "progs:1", "sh", "-c", "echo more >/more");
    const before = du("images/blobs/sha256", "layers");
    near(df()["Images"]!["Size"]!, before);
    store.ok("commit", "df1", "progs:2");
    store.ok("tag", "progs:2", "progs:3");
    const after = du("images/blobs/sha256", "layers");
    expect(after - before).toBeLessThan(64 * 1024);
    const rows = df();
    near(rows["Images"]!["Size"]!, after);
    expect(rows["Images"]!["TotalCount"]).toBe("2");
    expect(store.ok("system", "df", "-v")).toMatch(/progs +2 /);
  });

  it("knows containers and volumes, and what could be had back", () => {
    store.ok(
      "run",
      "-v",
      "vol1:/v",
      "--name",
      "df2",
      "--network",
      "none",
      "progs:1",
      "sh",
      "-c",
      "head -c 100000 /dev/zero >/v/big",
    );
    const rows = df();
    expect(rows["Containers"]!["TotalCount"]).toBe("2");
    near(rows["Containers"]!["Size"]!, du("containers"));
    expect(rows["Containers"]!["Reclaimable"]).toContain("(100%)");
    expect(rows["Local Volumes"]).toMatchObject({ TotalCount: "1", Active: "1", Reclaimable: "0B (0%)" });
  });

  it("prunes back to where it was", () => {
    const told = store.ok("system", "prune", "-af", "--volumes");
    expect(told).toMatch(/^Deleted Containers:\n[0-9a-f]{64}\n[0-9a-f]{64}\n/);
    expect(told).toMatch(/^untagged: progs:1$/m);
    expect(told).toMatch(/^Total reclaimed space: [\d.]+MB$/m);
    expect(df()["Images"]!["Size"]).toBe("0B");
    expect(du("images/blobs/sha256", "layers", "containers")).toBe(0);
    // Named volumes are not what --volumes removes.
    expect(store.ok("volume", "ls", "-q")).toBe("vol1");
    store.ok("volume", "rm", "vol1");
  });

  it("keeps the layers of a container whose image was removed by force", () => {
    store.loadPrograms();
    store.ok("create", "--name", "df3", "--network", "none", "progs:1", "cat", "/data/file");
    store.ok("rmi", "-f", "progs:1");
    expect(store.ok("start", "-a", "df3")).toBe("upper");
    store.ok("rm", "df3");
  });
});
