// `lap cp`, export, diff and commit: docker's rules of paths, and containers that do what they can to make us leave them.
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import {
  commitContainer,
  containerChanges,
  copyFromContainer,
  copyToContainer,
  exportContainer,
  openEngine,
} from "@lapstrake/engine";
import { needs } from "../support/facts.ts";
import { LapStore } from "../support/lap.ts";
import { PATIENCE_MS } from "../support/until.ts";

const SECRET = "secret of the machine";

needs("root", "overlayfs", "native").describe("lap cp", () => {
  let store: LapStore;
  let work: string;
  /** A folder of the machine that no container may reach; containers have a folder of the same path. */
  let trap: string;

  beforeAll(() => {
    store = new LapStore();
    store.loadPrograms();
    work = join(store.folder, "work");
    trap = join(store.folder, "trap");
    mkdirSync(work);
    mkdirSync(trap);
    writeFileSync(join(trap, "file"), SECRET);
  });
  afterAll(() => store.close());

  /** A container that runs `script`, in which /bin tools work, until it is removed. */
  function container(script: string, ...flags: string[]): { readonly id: string } & Disposable {
    const id = store.ok("run", "-d", ...flags, "progs:1", "sh", "-c", `${script}; touch /ready; sleep 1000`);
    const deadline = Date.now() + PATIENCE_MS;
    while (store.run(["exec", id, "ls", "/ready"]).code !== 0) if (Date.now() > deadline) throw new Error("not ready");
    return { id, [Symbol.dispose]: () => void store.ok("rm", "-fv", id) };
  }
  const cp = (from: string, to: string, ...flags: string[]): string => {
    const { code, stderr } = store.run(["cp", ...flags, from, to]);
    return code === 0 ? "" : stderr.trimEnd();
  };
  const local = (...path: string[]): string => join(work, ...path);
  const text = (...path: string[]): string => readFileSync(local(...path), "utf8");

  it("follows docker's table of sources and destinations, out of a container", () => {
    using box = container("mkdir -p /d/e; echo b > /d/b; echo a > /a; ln -s d /ld");
    expect(cp(`${box.id}:/a`, local("new"))).toBe("");
    expect(cp(`${box.id}:/a`, work)).toBe("");
    expect([text("new"), text("a")]).toEqual(["a\n", "a\n"]);
    expect(cp(`${box.id}:/a`, local("missing/"))).toBe("no such directory");
    expect(cp(`${box.id}:/a`, local("missing/x"))).toContain("does not exist");
    expect(cp(`${box.id}:/d`, local("a"))).toBe("cannot copy directory");
    expect(cp(`${box.id}:/d`, local("tree"))).toBe("");
    expect(cp(`${box.id}:/d`, local("tree"))).toBe("");
    expect(readdirSync(local("tree")).toSorted()).toEqual(["b", "d", "e"]);
    mkdirSync(local("flat"));
    expect(cp(`${box.id}:/d/.`, local("flat"))).toBe("");
    expect(readdirSync(local("flat")).toSorted()).toEqual(["b", "e"]);
    expect(cp(`${box.id}:/ld`, local("link"))).toBe("");
    expect(lstatSync(local("link")).isSymbolicLink()).toBe(true);
    expect(cp(`${box.id}:/ld`, local("followed"), "-L")).toBe("");
    expect(readdirSync(local("followed")).toSorted()).toEqual(["b", "e"]);
    expect(cp(`${box.id}:/none`, work)).toContain(`Could not find the file /none in container ${box.id}`);
  });

  it("follows it into running and stopped containers, volumes included", () => {
    writeFileSync(local("in"), "in");
    for (const stop of [false, true]) {
      using box = container("mkdir /d", "-v", "/vol", "-v", `${work}:/ro:ro`);
      if (stop) store.ok("stop", "-t", "0", box.id);
      expect(cp(local("in"), `${box.id}:/d`)).toBe("");
      expect(cp(local("in"), `${box.id}:/d/named`)).toBe("");
      expect(cp(local("in"), `${box.id}:/vol/`)).toBe("");
      expect(cp(local("in"), `${box.id}:/none/`)).toBe("no such directory");
      expect(cp(local("in"), `${box.id}:/none/x`)).toContain("Could not find the file /none");
      expect(cp(local("in"), `${box.id}:/ro/`)).toContain("mounted volume is marked read-only");
      for (const path of ["/d/in", "/d/named", "/vol/in"]) {
        rmSync(local("back"), { force: true });
        expect(cp(`${box.id}:${path}`, local("back"))).toBe("");
        expect(text("back")).toBe("in");
      }
    }
  });

  it("streams archives both ways", () => {
    using box = container("mkdir /to /from; echo x > /from/x; ln /from/x /from/hard");
    const out = store.run(["cp", `${box.id}:/from`, "-"]);
    const tar = Buffer.from(out.stdout, "latin1");
    const listed = spawnSync("tar", ["tf", "-"], { input: tar }).stdout.toString();
    expect(listed.trimEnd().split("\n")).toEqual(["from/", "from/hard", "from/x"]);
    expect(store.run(["cp", "-", `${box.id}:/to`], { input: tar }).code).toBe(0);
    expect(store.ok("exec", box.id, "stat", "-c", "%h", "/to/from/x")).toBe("2");
    expect(store.run(["cp", "-", `${box.id}:/to/from/x`], { input: tar }).stderr).toContain("must be a directory");
  });

  it("reaches the files of a Wasm container that does not run", () => {
    writeFileSync(local("m.wasm"), "not run here");
    writeFileSync(local("w"), "w");
    const id = store.ok("create", "-v", "/vol", local("m.wasm"));
    expect(cp(local("w"), `${id}:/`)).toBe("");
    expect(cp(local("w"), `${id}:/vol/`)).toBe("");
    for (const path of ["/w", "/vol/w"]) {
      rmSync(local("wback"), { force: true });
      expect(cp(`${id}:${path}`, local("wback"))).toBe("");
      expect(text("wback")).toBe("w");
    }
    expect(store.ok("diff", id).split("\n")).toContain("A /w");
    store.ok("rm", "-v", id);
  });

  it("never takes a link of the container for one of the machine", () => {
    using box = container(
      `ln -s ${trap} /abs; ln -s ../../../../../../..${trap} /rel; mkdir /in; ln -s ${trap}/file /in/file`,
    );
    writeFileSync(local("poison"), "poison");
    for (const link of ["/abs", "/rel"]) {
      expect(cp(`${box.id}:${link}/file`, local("stolen"))).toContain("Could not find the file");
      expect(cp(local("poison"), `${box.id}:${link}/`)).not.toBe("");
      expect(cp(`${box.id}:${link}`, local("stolen"), "-L")).toContain("Could not find the file");
    }
    expect(cp(local("poison"), `${box.id}:/in/file`)).toContain("Could not find the file");
    expect(readdirSync(trap)).toEqual(["file"]);
    expect(readFileSync(join(trap, "file"), "utf8")).toBe(SECRET);
    expect(existsSync(local("stolen"))).toBe(false);
  });

  it("refuses archives that climb out, and puts links of archives where they are", () => {
    using box = container("mkdir /to");
    const folder = local("archive");
    mkdirSync(folder);
    symlinkSync(trap, join(folder, "way"));
    const first = spawnSync("tar", ["-C", folder, "-cf", "-", "way"]).stdout;
    const up = spawnSync("tar", ["-C", work, "-P", "--transform", "s,^in$,../../../escaped,", "-cf", "-", "in"]).stdout;
    const through = spawnSync("tar", ["-C", work, "--transform", "s,^in$,way/in,", "-cf", "-", "in"]).stdout;
    expect(store.run(["cp", "-", `${box.id}:/to`], { input: first }).code).toBe(0);
    expect(store.run(["cp", "-", `${box.id}:/to`], { input: up }).stderr).toContain("outside of the destination");
    store.run(["cp", "-", `${box.id}:/to`], { input: through });
    expect(readdirSync(trap)).toEqual(["file"]);
  });

  it("opens no fifo, makes no device on the machine, lends no rights, keeps holes", () => {
    using box = container(
      "dd if=/dev/zero of=/sparse bs=1 count=1 seek=300000000; echo p > /suid; chmod 4755 /suid; mkdir /nodes; echo 1 > /nodes/a",
    );
    const folder = local("nodes");
    mkdirSync(folder);
    spawnSync("mkfifo", [join(folder, "fifo")]);
    spawnSync("mknod", [join(folder, "null"), "c", "1", "3"]);
    expect(cp(folder, `${box.id}:/nodes/`)).toBe("");
    expect(cp(`${box.id}:/nodes/nodes/fifo`, local("fifo"))).toBe("");
    expect(lstatSync(local("fifo")).isFIFO()).toBe(true);
    expect(cp(`${box.id}:/nodes/nodes/null`, local("null"))).toContain("is a device");
    expect(cp(`${box.id}:/suid`, local("suid"))).toBe("");
    expect(statSync(local("suid")).mode & 0o7777).toBe(0o755);
    expect(cp(`${box.id}:/sparse`, local("sparse"))).toBe("");
    const { size, blocks } = statSync(local("sparse"));
    expect(size).toBe(300_000_001);
    expect(blocks * 512).toBeLessThan(1024 * 1024);
  });

  it("stays in a container that swaps its directories for links all the time", async () => {
    const swap = `mkdir -p ${trap} /real; echo inside > ${trap}/file; echo inside > /real/file; while :; do mv /real /d; mv /d /real; ln -s ${trap} /d; rm /d; done & true`;
    using box = container(swap);
    writeFileSync(local("poison"), "poison");
    const engine = openEngine({ root: store.root });
    const record = engine.find(box.id);
    const seen = new Set<string>();
    for (let i = 0; i < 300; i++) {
      rmSync(local("raced"), { recursive: true, force: true });
      seen.add(await outcome(copyFromContainer(engine, record, "/d/file", local("raced"))));
      if (existsSync(local("raced"))) expect(text("raced")).toBe("inside\n");
      seen.add(await outcome(copyToContainer(engine, record, local("poison"), "/d/poison")));
      if (i % 30 === 0) seen.add(await outcome(copyFromContainer(engine, record, "/d", local("raced"))));
    }
    // It raced: some calls came through, others met what the container did.
    expect(seen.size).toBeGreaterThan(1);
    expect(readdirSync(trap)).toEqual(["file"]);
    expect(readFileSync(join(trap, "file"), "utf8")).toBe(SECRET);
  });

  it("exports, compares and commits it without leaving it", async () => {
    const swap = `mkdir -p ${trap} /real; echo inside > /real/file; while :; do mv /real /d; mv /d /real; ln -s ${trap} /d; rm /d; done & true`;
    using box = container(swap);
    const engine = openEngine({ root: store.root });
    const record = engine.find(box.id);
    for (let i = 0; i < 10; i++) {
      await outcome(
        exportContainer(engine, record, async (tar) => {
          for await (const chunk of tar) expect(Buffer.from(chunk).includes(SECRET)).toBe(false);
        }),
      );
      await outcome(containerChanges(engine, record));
    }
    const image = await commitContainer(engine, record, { pause: true });
    expect(
      store.ok("run", "--rm", image.id, "sh", "-c", `cat ${trap}/file /d/file /real/file 2>/dev/null; true`),
    ).not.toContain(SECRET);
    expect(readdirSync(trap)).toEqual(["file"]);
  });
});

/** How a call ended, in a word. */
async function outcome(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return "done";
  } catch (error) {
    return String((error as { code?: unknown }).code);
  }
}
