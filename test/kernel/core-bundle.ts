// A bundle for lap-runtime in a temporary folder: programs of this machine as its root filesystem, a state root of its own.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RuntimeSpec } from "@lapstrake/base";
import { defaultSpec } from "@lapstrake/core";
import { expect } from "vitest";
import { nativePart } from "../support/facts.ts";
import { copyFiles, programFiles } from "../support/programs.ts";
import { soon } from "../support/until.ts";

const PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const TIMEOUT_MS = 30_000;

let counter = 0;

/** How a command ended. */
export interface Result {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A spec of the default kind that runs `args` in the bundle. */
export function spec(args: readonly string[], change: Partial<RuntimeSpec> = {}): RuntimeSpec {
  const base = defaultSpec();
  return { ...base, root: { path: "rootfs" }, process: { ...base.process!, args, env: [PATH] }, ...change };
}

/** A container's name that no other test has. */
export function newId(): string {
  return `core-oci-${process.pid}-${counter++}`;
}

/** The folder with `config.json`, `rootfs` and `state`; disposing removes it. */
export class Bundle implements Disposable {
  readonly dir: string = mkdtempSync(join(tmpdir(), "lap-oci-"));
  /** What {@link end} deletes. */
  readonly ids: string[] = [];

  constructor(programs: readonly string[]) {
    copyFiles(join(this.dir, "rootfs"), programFiles(programs));
    for (const name of ["proc", "sys", "dev", "tmp"]) mkdirSync(join(this.dir, "rootfs", name), { recursive: true });
  }

  /** `lap-runtime` as words, to be started by somebody else. */
  command(...args: readonly string[]): [string, ...string[]] {
    return [nativePart("lap-runtime"), "--root", join(this.dir, "state"), ...args];
  }

  call(program: string, ...args: readonly string[]): Result {
    const { status, stdout, stderr } = spawnSync(program, ["--root", join(this.dir, "state"), ...args], {
      encoding: "utf8",
      timeout: TIMEOUT_MS,
    });
    return { code: status, stdout, stderr };
  }

  lap(...args: readonly string[]): Result {
    return this.call(nativePart("lap-runtime"), ...args);
  }

  /** For commands that leave a process behind: it must not hold pipes that the caller would wait for. */
  lapDetached(...args: readonly string[]): number | null {
    const [program, ...words] = this.command(...args);
    return spawnSync(program, words, { stdio: "ignore", timeout: TIMEOUT_MS }).status;
  }

  writeConfig(config: unknown): void {
    writeFileSync(join(this.dir, "config.json"), typeof config === "string" ? config : JSON.stringify(config));
  }

  /** A container that runs. */
  start(config: RuntimeSpec): string {
    const id = newId();
    this.ids.push(id);
    this.writeConfig(config);
    expect(this.lapDetached("run", "--detach", "--bundle", this.dir, id)).toBe(0);
    return id;
  }

  async nothingLeft(id: string): Promise<void> {
    expect(existsSync(join(this.dir, "state", id))).toBe(false);
    const found = (): string[] =>
      readdirSync("/sys/fs/cgroup").filter((name) => existsSync(join("/sys/fs/cgroup", name, "lapstrake", id)));
    await soon(() => expect(found()).toEqual([]));
  }

  /** Deletes the containers of `ids`, of which nothing may be left, and the folder. */
  async end(): Promise<void> {
    for (const id of this.ids) this.lap("delete", "--force", id);
    for (const id of this.ids) await this.nothingLeft(id);
    this[Symbol.dispose]();
  }

  [Symbol.dispose](): void {
    rmSync(this.dir, { recursive: true, force: true });
  }
}
