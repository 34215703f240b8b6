// Whole engines side by side: lap, docker and podman with one busybox image, each asked by its command line.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { geteuid, pid } from "node:process";
import { nativePart } from "../test/support/native.ts";
import { prepare, startToExit, which } from "./commands.ts";
import { busyboxLayout, busyboxMissing, busyboxRootfs } from "./fixtures.ts";
import type { Variant } from "./harness.ts";

/** One engine's command line. */
export interface BenchEngine {
  readonly name: "lap" | "docker" | "podman";
  readonly image: string;
  /** Why it cannot be measured here. */
  readonly missing: string | undefined;
  readonly command: readonly [program: string, ...before: readonly string[]];
  /** Flags that its `run` needs on a machine without CAP_SYS_RESOURCE. */
  readonly runFlags: readonly string[];
}

/** The engines with the image in each; disposing removes what they hold. */
export interface BenchEngines extends AsyncDisposable {
  readonly all: readonly BenchEngine[];
  readonly folder: string;
}

/** Loads the image into every engine that works here. Needs root and busybox-static. */
export function openEngines(): BenchEngines {
  if (geteuid?.() !== 0) throw new Error("this benchmark needs root");
  const missing = busyboxMissing();
  if (missing !== undefined) throw new Error(`this benchmark needs a root filesystem: ${missing}`);
  const folder = mkdtempSync(join(tmpdir(), "lap-bench-"));
  const rootfs = join(folder, "rootfs");
  busyboxRootfs(rootfs);
  const held = new AsyncDisposableStack();
  held.defer(() => rmSync(folder, { recursive: true, force: true }));
  const all = [lap(folder, rootfs), imported("docker", rootfs, held), imported("podman", rootfs, held)];
  return { all, folder, [Symbol.asyncDispose]: () => held.disposeAsync() };
}

function lap(folder: string, rootfs: string): BenchEngine {
  const image = "lap-bench:1";
  const command = [nativePart("lap"), "--root", join(folder, "store")] as const;
  busyboxLayout(rootfs, join(folder, "layout"), image);
  prepare(command[0], [...command.slice(1), "load", "-q", "-i", join(folder, "layout")]);
  return { name: "lap", image, missing: undefined, command, runFlags: [] };
}

/** crun refuses a hybrid host, and podman raises limits that only CAP_SYS_RESOURCE may raise. */
const FLAGS = {
  docker: { command: [], run: [] },
  podman: {
    command: ["--runtime", "runc", "--cgroup-manager", "cgroupfs"],
    run: ["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1000:1000"],
  },
} as const;

function imported(name: "docker" | "podman", rootfs: string, held: AsyncDisposableStack): BenchEngine {
  const image = `localhost/lap-bench:${pid}`;
  const program = which(name);
  const missing = program === undefined ? "not installed" : failure(program, ["info"]);
  if (program !== undefined && missing === undefined) {
    prepare("sh", ["-c", `tar -C ${rootfs} -c . | ${program} import - ${image}`]);
    held.defer(() => void prepare(program, ["rmi", "-f", image]));
  }
  const own = FLAGS[name];
  return { name, image, missing, command: [program ?? name, ...own.command], runFlags: own.run };
}

function failure(program: string, args: readonly string[]): string | undefined {
  try {
    prepare(program, args);
    return undefined;
  } catch (error) {
    return (error as Error).message.split("\n")[0];
  }
}

/** Runs a command of an engine to its end and gives what it printed. */
export function ask(engine: BenchEngine, ...args: readonly string[]): string {
  const [program, ...before] = engine.command;
  return prepare(program, [...before, ...args]).trim();
}

/** Milliseconds of a command of an engine. */
export function timed(engine: BenchEngine, ...args: readonly string[]): Promise<number> {
  const [program, ...before] = engine.command;
  return startToExit(program, [...before, ...args]);
}

/** Milliseconds of `run` with these flags, and the image's program. */
export function timedRun(engine: BenchEngine, flags: readonly string[], ...args: readonly string[]): Promise<number> {
  return timed(engine, "run", ...engine.runFlags, ...flags, engine.image, ...args);
}

/** A variant that asks an engine; left out where the engine is. */
export function engineVariant(engine: BenchEngine, name: string, run: () => Promise<number>): Variant {
  return engine.missing === undefined ? { name, run } : { name, missing: engine.missing, run };
}

/** Runs `count` tasks, `width` at once. */
export async function pooled(count: number, width: number, task: (index: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let index = next++; index < count; index = next++) await task(index);
  };
  await Promise.all(Array.from({ length: width }, worker));
}

/** Starts `count` idle containers named `prefix0…`; disposing removes them. */
export async function idleContainers(engine: BenchEngine, prefix: string, count: number): Promise<AsyncDisposable> {
  const names = Array.from({ length: count }, (_, index) => `${prefix}${index}`);
  if (engine.missing === undefined) {
    await pooled(count, 8, (n) => timedRun(engine, ["-d", "--name", names[n]!], "/bin/sleep", "100000"));
  }
  return {
    [Symbol.asyncDispose]: () => {
      if (engine.missing === undefined) ask(engine, "rm", "-f", ...names);
      return Promise.resolve();
    },
  };
}
