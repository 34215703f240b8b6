// The storage driver `vfs`: a container is a copy of its image (ADR 65). What a copy keeps, what is told of its changes, where it is chosen
// by itself, and that nothing of it stays.
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, readdirSync, statfsSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openDirFs } from "@lapstrake/core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { needs } from "../support/facts.ts";
import { LapStore, nothingLeft } from "../support/lap.ts";

const MIB = 1024 * 1024;
const VFS = { LAP_STORAGE_DRIVER: "vfs" };
const RUN = ["run", "--network", "none"];

needs("root", "overlayfs", "native").describe("containers that are copies", () => {
  let store: LapStore;
  const vfs = (...args: string[]): string => {
    const { code, stdout, stderr } = store.run(args, { env: VFS });
    if (code !== 0) throw new Error(`lap ${args.join(" ")} exited ${code}: ${stderr}`);
    return stdout.trimEnd();
  };
  const rootOf = (name: string): string =>
    join(store.root, "containers", store.ok("inspect", "-f", "{{.Id}}", name), "rootfs");
  const layers = (kind: string): string[] =>
    readdirSync(join(store.root, "layers")).filter((name) => name.startsWith(kind));

  beforeAll(() => {
    store = new LapStore();
    store.loadPrograms();
    prepareLayer(store);
  });
  afterAll(() => store.close());

  it("have all of the image: links, holes, devices, owners, attributes, and nothing that a layer took away", () => {
    vfs("create", "--name", "whole", "progs:1");
    const root = rootOf("whole");
    const [a, b] = ["data/hard-a", "data/hard-b"].map((path) => statSync(join(root, path)));
    expect([a!.ino === b!.ino, a!.uid, a!.gid, a!.mode & 0o7777]).toEqual([true, 12, 34, 0o4755]);
    const sparse = statSync(join(root, "data/sparse"));
    expect([sparse.size, sparse.blocks * 512 < MIB]).toEqual([8 * MIB, true]);
    expect(statSync(join(root, "data/null")).rdev).toBe(statSync("/dev/null").rdev);
    using files = openDirFs(root);
    expect(Buffer.from(files.getXattr("data/hard-a", "user.kept")!).toString()).toBe("yes");
    expect(readdirSync(join(root, "data")).toSorted()).toEqual([
      "badscript",
      "file",
      "hard-a",
      "hard-b",
      "noexec",
      "null",
      "sparse",
      "sub",
    ]);
    expect(readFileSync(join(root, "data/file"), "utf8")).toBe("upper\n");
    expect(layers("flat-")).toHaveLength(1);
    expect(store.ok("diff", "whole")).toBe("");
    store.ok("rm", "whole");
  });

  it("are compared, copied, committed, exported, forked and started again", () => {
    const change =
      "echo 1 > /new; rm -f /data/sub/keep; chmod 600 /data/file; mv /data/noexec /data/moved 2> /dev/null; true";
    vfs(...RUN, "--name", "own", "progs:1", "sh", "-c", change);
    const changes = [
      "A /data/moved",
      "A /new",
      "C /data",
      "C /data/file",
      "C /data/sub",
      "D /data/noexec",
      "D /data/sub/keep",
    ];
    expect(store.ok("diff", "own").split("\n").toSorted()).toEqual(changes);
    expect(store.ok("inspect", "-f", "{{.Driver}} {{.GraphDriver.Name}}", "own")).toBe("vfs vfs");
    writeFileSync(join(store.folder, "in"), "2\n");
    store.ok("cp", join(store.folder, "in"), "own:/in");
    expect(store.ok("cp", "own:/new", "-")).toContain("1\n");
    expect(store.ok("ps", "-as", "--format", "{{.Size}}")).toMatch(/^12B/);
    store.ok("commit", "own", "own:1");
    // The image is one for either driver.
    for (const driver of ["overlay2", "vfs"]) {
      const seen = store.ok(
        "--storage-driver",
        driver,
        ...RUN,
        "--rm",
        "own:1",
        "sh",
        "-c",
        "cat /new /in; ls /data/sub",
      );
      expect(seen).toBe("1\n2");
    }
    const names = spawnSync("tar", ["-t"], { input: store.run(["export", "own"]).stdout, encoding: "latin1" }).stdout;
    expect(names.split("\n")).toEqual(expect.arrayContaining(["new", "data/moved", "data/file"]));
    store.ok("fork", "own", "twin");
    store.ok("start", "own");
    expect(store.ok("diff", "twin").split("\n")).toEqual([...changes, "A /in"].toSorted(byPath));
    expect(store.ok("start", "-a", "twin")).toBe("");
    store.ok("rm", "-f", "own", "twin");
    store.ok("rmi", "own:1");
  });

  it("run read only and with volumes, and show their files while they do", () => {
    const id = vfs(
      "run",
      "-d",
      "--read-only",
      "-v",
      `${store.folder}:/mnt`,
      "--network",
      "none",
      "progs:1",
      "sleep",
      "100",
    );
    expect(store.run(["exec", id, "touch", "/x"]).stderr).toContain("Read-only file system");
    expect(store.ok("exec", id, "ls", "/mnt").split("\n")).toContain("store");
    expect(store.ok("cp", `${id}:/data/file`, "-")).toContain("upper\n");
    store.ok("rm", "-f", id);
  });

  it("leave nothing, and what they were copied of goes with the image", () => {
    expect(store.ok("system", "check", "--quick", "--older-than", "0s")).toBe("clean");
    expect(readdirSync(join(store.root, "containers"))).toEqual([]);
    store.ok("rmi", "progs:1");
    expect(readdirSync(join(store.root, "layers"))).toEqual([]);
    store.loadPrograms();
  });

  it("are refused where a copy cannot be what was asked for", () => {
    const refusal = (...args: string[]): string => store.run(args, { env: VFS }).stderr;
    expect(refusal("create", "--storage-opt", "size=32m", "progs:1")).toContain("bounds nothing that is written");
    expect(refusal("create", "host")).toContain("the machine itself is not copied");
    expect(store.run(["--storage-driver", "zfs", "ps"]).stderr).toContain('unknown storage driver "zfs"');
  });
});

needs("root", "overlayfs", "native").describe("a store where overlayfs is not possible", () => {
  let store: LapStore;
  let place: LapStore;
  beforeAll(() => {
    place = new LapStore();
    const at = (name: string): string => join(place.folder, name);
    for (const name of ["l", "u", "w", "m"]) mkdirSync(at(name));
    mount("-t", "overlay", "-o", `lowerdir=${at("l")},upperdir=${at("u")},workdir=${at("w")}`, "overlay", at("m"));
    store = new LapStore({ root: join(at("m"), "store") });
    store.loadPrograms();
  });
  afterAll(async () => {
    const { folder } = place;
    store[Symbol.dispose]();
    execFileSync("umount", [join(folder, "m")]);
    place[Symbol.dispose]();
    await nothingLeft(folder);
  });

  it("makes copies by itself, says so once, and can be told not to", () => {
    const first = store.run([...RUN, "--rm", "progs:1", "ls", "/data"]);
    expect([first.code, first.stdout]).toEqual([0, "badscript\nfile\nnoexec\nsub\n"]);
    expect(first.stderr).toContain("overlayfs is not possible here");
    expect(store.run([...RUN, "--name", "second", "progs:1", "echo", "hi"])).toMatchObject({ code: 0, stderr: "" });
    expect(store.ok("inspect", "-f", "{{.Driver}}", "second")).toBe("vfs");
    expect(store.ok("info", "-f", "{{.Driver}}")).toBe("vfs");
    store.ok("rm", "second");
    const asked = store.run(["--storage-driver", "overlay2", ...RUN, "--rm", "progs:1", "true"]);
    expect([asked.code, asked.stderr.includes("rootOverlay")]).toEqual([125, true]);
  });
});

needs("root", "overlayfs", "native", "command:mkfs.xfs", "loop-ext4").describe(
  "a store on a filesystem with reflinks",
  () => {
    it("shares the blocks of a copy until it is written", async () => {
      using place = new LapStore();
      const image = join(place.folder, "xfs.img");
      const at = join(place.folder, "xfs");
      mkdirSync(at);
      execFileSync("truncate", ["-s", "400M", image]);
      execFileSync("mkfs.xfs", ["-q", "-m", "reflink=1", image]);
      mount("-o", "loop", image, at);
      {
        using store = new LapStore({ root: join(at, "store") });
        store.loadPrograms();
        // As large as an image that counts.
        const [layer] = readdirSync(join(store.root, "layers"));
        execFileSync(
          "dd",
          ["if=/dev/urandom", `of=${join(store.root, "layers", layer!, "data/large")}`, "bs=1M", "count=50"],
          { stdio: "ignore" },
        );
        const create = (): number => {
          store.ok("--storage-driver", "vfs", "create", "progs:1");
          execFileSync("sync", ["-f", at]);
          const { bavail, bsize } = statfsSync(at);
          return bavail * bsize;
        };
        const [before, after] = [create(), create()];
        expect(before - after).toBeLessThan(8 * MIB);
        expect(existsSync(join(store.root, "layers"))).toBe(true);
      }
      execFileSync("umount", [at]);
      await nothingLeft(place.folder);
    });
  },
);

function mount(...args: string[]): void {
  execFileSync("mount", args);
}

function byPath(a: string, b: string): number {
  return a.slice(2) < b.slice(2) ? -1 : 1;
}

/** What tar of the fixture does not make, put into the topmost extracted layer. */
function prepareLayer({ root }: LapStore): void {
  const layer = readdirSync(join(root, "layers")).find((name) =>
    existsSync(join(root, "layers", name, "data/noexec")),
  )!;
  const data = join(root, "layers", layer, "data");
  writeFileSync(join(data, "hard-a"), "linked");
  execFileSync("sh", [
    "-c",
    "cd $0; chown 12:34 hard-a; chmod 4755 hard-a; ln hard-a hard-b; truncate -s 8M sparse; mknod null c 1 3",
    data,
  ]);
  using files = openDirFs(data);
  files.setXattr("hard-a", "user.kept", Buffer.from("yes"));
}
