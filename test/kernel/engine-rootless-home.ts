// A user without privilege for tests: a home with a store, a range of ids, and where it is asked for a machine's network of its own.
import { spawn, spawnSync } from "node:child_process";
import { chownSync, cpSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import { LapStore, nothingLeft, type LapResult } from "../support/lap.ts";
import { nativePart } from "../support/native.ts";
import { ended } from "../support/processes.ts";

/** nobody: newuidmap wants a user of the password file. */
export const USER = 65_534;
/** What such a user needs of the machine. */
export const ROOTLESS_FACTS: readonly string[] = [
  "root",
  "overlayfs",
  "native",
  "namespace.user_allowed",
  "clone-open-to-all",
  "command:setpriv",
  "command:newuidmap",
];
/** Also on a machine that is busy. */
const TIMEOUT_MS = 120_000;

/** A user's folder with the program image loaded; the range is written where only its own commands see it. */
export class Home {
  readonly folder: string = mkdtempSync(join(tmpdir(), "lap-ids-"));
  /** A cgroup directory to stand in. */
  cgroup: string | undefined;
  readonly #netns: string | undefined;

  /** `netns` is the path of a network namespace that stands for the machine's: there the user may make tap devices. */
  constructor(options: { readonly netns?: string } = {}) {
    this.#netns = options.netns;
    using store = new LapStore();
    store.loadPrograms();
    cpSync(join(store.folder, "layout"), join(this.folder, "layout"), { recursive: true });
    writeFileSync(join(this.folder, "subid"), `${USER}:700000:65536\n`);
    chownSync(this.folder, USER, USER);
    if (this.#netns === undefined) return;
    // What distributions give everybody, and a test machine may not.
    for (const words of [
      ["mknod", "tun", "c", "10", "200"],
      ["chmod", "666", "tun"],
    ]) {
      expect(spawnSync(words[0]!, words.slice(1), { cwd: this.folder }).status).toBe(0);
    }
  }

  /** Once controllers are enabled processes stand in leaves only. */
  #place(top: string): string {
    const leaf = join(top, "lapstrake-callers");
    return existsSync(leaf) ? leaf : top;
  }

  /** A shell line that becomes the user in a mount namespace with the range. */
  #as(args: readonly string[]): [string, string[]] {
    const stand = this.cgroup === undefined ? "" : `echo 0 > ${this.#place(this.cgroup)}/cgroup.procs && `;
    const bind = ["subuid", "subgid"].map((name) => `mount --bind ${this.folder}/subid /etc/${name} && `).join("");
    const tun = this.#netns === undefined ? "" : `mount --bind ${this.folder}/tun /dev/net/tun && `;
    const user = `exec setpriv --reuid ${USER} --regid ${USER} --clear-groups "$@"`;
    const line = ["--mount", "sh", "-c", `${stand}${bind}${tun}${user}`, "sh", ...args];
    return this.#netns === undefined ? ["unshare", line] : ["nsenter", [`--net=${this.#netns}`, "unshare", ...line]];
  }

  run(...args: readonly string[]): LapResult {
    return this.runProgram("lap", ...args);
  }

  runProgram(name: "lap" | "lap-runtime", ...args: readonly string[]): LapResult {
    const [program, words] = this.#as([nativePart(name), ...args]);
    const env = { PATH: process.env["PATH"], HOME: this.folder };
    const { status, stdout, stderr } = spawnSync(program, words, { env, encoding: "utf8", timeout: TIMEOUT_MS });
    return { code: status, stdout, stderr };
  }

  /** Starts several commands at once and waits for all; gives their exit codes. */
  async atOnce(...commands: readonly (readonly string[])[]): Promise<(number | null)[]> {
    const env = { PATH: process.env["PATH"], HOME: this.folder };
    const ends = commands.map((args) => {
      const [program, words] = this.#as([nativePart("lap"), ...args]);
      const child = spawn(program, words, { env, stdio: "ignore", timeout: TIMEOUT_MS });
      return ended(child);
    });
    return Promise.all(ends);
  }

  ok(...args: readonly string[]): string {
    const { code, stdout, stderr } = this.run(...args);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    return stdout;
  }

  get store(): string {
    return join(this.folder, ".local/share/lapstrake");
  }

  async close(): Promise<void> {
    rmSync(this.folder, { recursive: true, force: true });
    await nothingLeft(this.folder);
  }
}
