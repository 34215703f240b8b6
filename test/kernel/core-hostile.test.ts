// CVE-2019-19921, CVE-2021-30465, CVE-2023-27561, CVE-2024-21626, CVE-2024-45310, CVE-2025-52881: an image whose /proc, /sys,
// /dev, mount target or working directory is a link, also one that is swapped while the container starts, changes nothing
// outside of its root and shows nothing of it.
import { spawn, type ChildProcess } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { MountSpec, RuntimeSpec } from "@lapstrake/base";
import {
  cleanup,
  compile,
  compileExec,
  defaultSpec,
  hostFacts,
  launch,
  readStatus,
  type Launched,
} from "@lapstrake/core";
import { LapStore } from "../support/lap.ts";
import { needs } from "../support/facts.ts";
import { ended } from "../support/processes.ts";
import { copyFiles, programFiles } from "../support/programs.ts";
import { finish } from "./core-harness.ts";

const SECRET = "what only the host may read";
/** At least, and at most until one came through. */
const STARTS = 12;
const MOST_STARTS = 100;

let dir = "";
let counter = 0;

/** A root filesystem of a few programs, and a folder of the host that no container was given. */
function makeRoot(): string {
  const root = join(dir, `root-${counter++}`);
  copyFiles(root, programFiles(["/bin/sh", "/bin/cat", "/bin/ls", "/bin/mkdir", "/bin/touch", "/bin/sleep"]));
  return root;
}

/** What `link` of an image may say to lead outside. */
function waysOut(outside: string): string[] {
  return [outside, `../../../../../../../..${outside}`, `/proc/self/root${outside}`, `/proc/1/root${outside}`];
}

/** Everything about the folder outside that a container could have changed. */
function stateOf(outside: string): unknown {
  const { mode, uid, mtimeNs } = statSync(outside, { bigint: true });
  const files = readdirSync(outside, { recursive: true }).toSorted();
  return { mode, uid, mtimeNs, files, text: readFileSync(join(outside, "secret"), "utf8") };
}

interface Box extends Disposable {
  readonly launched: Launched | undefined;
  readonly error: unknown;
}

/** Starts over a directory as lap-runtime does. */
async function start(
  root: string,
  script: string,
  change: (spec: RuntimeSpec) => RuntimeSpec = (spec) => spec,
): Promise<Box & { readonly id: string; readonly spec: RuntimeSpec; readonly containerDir: string }> {
  const base = defaultSpec();
  const env = ["PATH=/usr/bin:/bin"];
  const spec = change({ ...base, process: { ...base.process!, args: ["sh", "-c", script], env } });
  const id = `core-test-${process.pid}-hostile-${counter++}`;
  const containerDir = join(dir, id);
  mkdirSync(containerDir);
  const plan = compile({ spec, rootfs: { kind: "dir", path: root } }, hostFacts(), orders(containerDir, id));
  const made = { id, spec, containerDir, [Symbol.dispose]: () => cleanup(undefined, id) };
  try {
    return { ...made, launched: await launch(plan), error: undefined };
  } catch (error) {
    return { ...made, launched: undefined, error };
  }
}

function orders(containerDir: string, id: string): Parameters<typeof compile>[2] {
  const streams = { stdio: "pipes", openStdin: false, stdinOnce: false, log: null, reapArgv: [] } as const;
  return { containerDir, id, ...streams, foreground: true, initialClient: true };
}

async function outputOf({ launched, error }: Box): Promise<string> {
  if (launched === undefined) return String(error);
  const { stdout, stderr } = await finish(launched);
  return stdout + stderr;
}

/** A process that swaps `place` between a directory and a link until it is killed. */
function flip(place: string, target: string): ChildProcess {
  const script = `
    const { renameSync, mkdirSync, symlinkSync } = require("node:fs");
    const place = ${JSON.stringify(place)}, spare = place + ".spare", link = place + ".link";
    const attempt = (f) => { try { f(); } catch {} };
    attempt(() => mkdirSync(place, { recursive: true }));
    attempt(() => symlinkSync(${JSON.stringify(target)}, link));
    process.stdout.write("ready");
    for (;;) {
      attempt(() => renameSync(place, spare));
      attempt(() => renameSync(link, place));
      attempt(() => renameSync(place, link));
      attempt(() => renameSync(spare, place));
    }`;
  return spawn(process.execPath, ["-e", script], { stdio: ["ignore", "pipe", "inherit"] });
}

async function flipping(place: string, target: string): Promise<AsyncDisposable> {
  const child = flip(place, target);
  await new Promise((resolve) => child.stdout!.once("data", resolve));
  return {
    // It may make a last file while it ends.
    [Symbol.asyncDispose]: async () => {
      child.kill("SIGKILL");
      await ended(child);
    },
  };
}

function withMounts(...mounts: readonly MountSpec[]): (spec: RuntimeSpec) => RuntimeSpec {
  return (spec) => ({ ...spec, mounts: [...spec.mounts!, ...mounts] });
}

needs("root", "native").describe("hostile links", () => {
  let outside = "";

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "lap-hostile-"));
    outside = join(dir, "outside");
    mkdirSync(outside);
    writeFileSync(join(outside, "secret"), SECRET);
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  const places: readonly (readonly [string, readonly MountSpec[]])[] = [
    ["/proc", []],
    ["/sys", []],
    ["/dev", []],
    ["/data", [{ destination: "/data", type: "tmpfs", source: "tmpfs" }]],
    ["/a/b", [{ destination: "/a/b/c/d", type: "tmpfs", source: "tmpfs" }]],
    ["/bound", [{ destination: "/bound/file", source: "/etc/hostname", options: ["bind", "ro"] }]],
  ];
  test.each(places)("%s is a link outside", async (place, mounts) => {
    const before = stateOf(outside);
    for (const way of waysOut(outside)) {
      const root = makeRoot();
      mkdirSync(join(root, dirname(place)), { recursive: true });
      symlinkSync(way, join(root, place));
      const script = `cat ${place}/secret ${place}/../secret; touch ${place}/made; mkdir ${place}/dir; ls ${place}`;
      using box = await start(root, script, withMounts(...mounts));
      expect(await outputOf(box)).not.toContain(SECRET);
      expect(stateOf(outside)).toEqual(before);
    }
  });

  test.each(["/proc", "/sys", "/dev", "/data"])(
    "%s is swapped for a link while the container starts",
    async (place) => {
      const root = makeRoot();
      await using _ = await flipping(join(root, place), outside);
      const before = stateOf(outside);
      const mount = withMounts({ destination: "/data", type: "tmpfs", source: "tmpfs" });
      for (let i = 0; i < STARTS; i++) {
        using box = await start(root, `cat ${place}/secret; touch ${place}/made`, mount);
        expect(await outputOf(box)).not.toContain(SECRET);
        expect(stateOf(outside)).toEqual(before);
      }
    },
  );

  test("the working directory is a link, a descriptor, or swapped", async () => {
    const before = stateOf(outside);
    const descriptors = Array.from({ length: 20 }, (_, fd) => [`/proc/self/fd/${fd}`, `/proc/1/fd/${fd}`]).flat();
    const script = `cat secret ../secret ../../../../../../..${outside}/secret; touch made; cat .${outside}/secret`;
    const root = makeRoot();
    for (const way of [...waysOut(outside), ...descriptors]) {
      symlinkSync(way, join(root, "work"));
      using box = await start(root, script, (spec) => ({ ...spec, process: { ...spec.process!, cwd: "/work" } }));
      expect(await outputOf(box)).not.toContain(SECRET);
      expect(stateOf(outside)).toEqual(before);
      rmSync(join(root, "work"));
    }
    await using _ = await flipping(join(root, "work"), outside);
    for (let i = 0; i < STARTS; i++) {
      using box = await start(root, script, (spec) => ({ ...spec, process: { ...spec.process!, cwd: "/work" } }));
      expect(await outputOf(box)).not.toContain(SECRET);
      expect(stateOf(outside)).toEqual(before);
    }
  });

  test("exec into a working directory that the container swaps", async () => {
    const root = makeRoot();
    const before = stateOf(outside);
    using box = await start(root, "sleep 100");
    const since = readStatus(box.containerDir)!.pidStartTime;
    await using _ = await flipping(join(root, "work"), "/proc/self/fd/7");
    const target = { id: box.id, spec: box.spec, pid: box.launched!.pid, pidStartTime: since };
    for (let i = 0; i < STARTS; i++) {
      const execDir = join(dir, `exec-${i}`);
      mkdirSync(execDir);
      const cwd = i % 2 === 0 ? "/work" : `/proc/self/fd/${i}`;
      const script = `cat secret ../../../../../../..${outside}/secret .${outside}/secret; touch made`;
      const process = { ...box.spec.process!, args: ["sh", "-c", script], cwd };
      const plan = compileExec(target, process, hostFacts(), orders(execDir, box.id));
      const result = await launch(plan).then(
        async (launched) => JSON.stringify(await finish(launched)),
        (error: unknown) => String(error),
      );
      expect(result).not.toContain(SECRET);
    }
    expect(stateOf(outside)).toEqual(before);
    box.launched!.attachment!.signal(9);
    await finish(box.launched!);
  });

  test("lap run: a volume's place is swapped by who shares the volume around it", async () => {
    using store = new LapStore();
    store.loadPrograms();
    const shared = join(dir, "shared");
    mkdirSync(shared);
    await using _ = await flipping(join(shared, "inner"), outside);
    let ran = 0;
    const before = stateOf(outside);
    const given = join(dir, "given");
    mkdirSync(given);
    for (let i = 0; i < STARTS || (ran === 0 && i < MOST_STARTS); i++) {
      const binds = ["-v", `${shared}:/data`, "-v", `${given}:/data/inner`, "-w", "/data/inner"];
      const { stdout } = store.run([
        "run",
        "--rm",
        ...binds,
        "progs:1",
        "sh",
        "-c",
        "echo started; cat /data/inner/secret secret; touch /data/inner/made made",
      ]);
      expect(stdout).not.toContain(SECRET);
      expect(stateOf(outside)).toEqual(before);
      if (stdout.startsWith("started")) ran++;
    }
    expect(ran).toBeGreaterThan(0);
  });
});
