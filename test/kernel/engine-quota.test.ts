// `--storage-opt size=` on a store whose filesystem keeps project quotas: no loop device, no filesystem of its own, the same bound.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { hasProjectQuota, projectOf, projectUse } from "@lapstrake/core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { needs } from "../support/facts.ts";
import { LapStore, nothingLeft } from "../support/lap.ts";
import { soon } from "../support/until.ts";

const MIB = 1024 * 1024;
const SIZE = ["--network=none", "--storage-opt", "size=4m"];
const FILL = "dd if=/dev/zero of=/big bs=64k count=400 2>&1; stat -c %s /big";

needs("root", "overlayfs", "native", "project-quota").describe("a bound by project quota", () => {
  let place: LapStore;
  let store: LapStore;
  beforeAll(() => {
    place = new LapStore();
    const [image, at] = [join(place.folder, "ext4.img"), join(place.folder, "quota")];
    mkdirSync(at);
    execFileSync("truncate", ["-s", "200M", image]);
    execFileSync("mkfs.ext4", ["-q", "-O", "quota,project", "-E", "quotatype=prjquota", image]);
    execFileSync("mount", ["-o", "loop,prjquota", image, at]);
    store = new LapStore({ root: join(at, "store") });
    store.loadPrograms();
  });
  afterAll(async () => {
    const { folder } = place;
    store[Symbol.dispose]();
    // The keeper leaves, and namespaces end, in their own time.
    await soon(() => execFileSync("umount", [join(folder, "quota")], { stdio: "pipe" }));
    place[Symbol.dispose]();
    await nothingLeft(folder);
  });

  it("ends in an error, is kept over a stop and a start, and is the container's alone", () => {
    expect(hasProjectQuota(store.root)).toBe(true);
    const out = store.ok("run", "--name", "full", ...SIZE, "progs:1", "sh", "-c", `echo kept > /kept; ${FILL}`);
    expect(out).toMatch(/Disk quota exceeded|No space left on device/);
    const written = Number(out.split("\n").at(-1));
    expect(written).toBeGreaterThan(2 * MIB);
    expect(written).toBeLessThanOrEqual(4 * MIB);
    const dir = join(store.root, "containers", store.ok("inspect", "-f", "{{.Id}}", "full"));
    expect([existsSync(join(dir, "disk.img")), projectOf(join(dir, "upper")) > 0]).toEqual([false, true]);
    expect(store.ok("start", "-a", "full")).toMatch(/Disk quota exceeded|No space left on device/);
    expect(store.ok("run", "--rm", "--network=none", "progs:1", "sh", "-c", FILL).split("\n").at(-1)).toBe(
      String(25 * MIB),
    );
    expect(store.ok("diff", "full").split("\n").toSorted()).toEqual(["A /big", "A /kept"]);
    expect(store.ok("cp", "full:/kept", "-")).toContain("kept\n");
    store.ok("rm", "full");
  });

  it("lets changes of the image through, and leaves no limit behind", async () => {
    const change = "mv /data/file /data/moved; rm -r /data/sub; echo 1 >> /data/noexec";
    const id = store.ok("run", "-d", ...SIZE, "progs:1", "sh", "-c", `${change}; sleep 100`);
    const project = projectOf(join(store.root, "containers", id, "upper"));
    expect(projectUse(store.root, project)).toMatchObject({ limitBytes: 4 * MIB });
    await soon(() => expect(store.ok("diff", id)).toContain("A /data/moved"));
    store.ok("rm", "-f", id);
    expect(readdirSync(join(store.root, "containers"))).toEqual([]);
    await soon(() => expect(projectUse(store.root, project)).toBeUndefined());
  });
});
