// Runs `lap` as a person would, on a store of the test's own, and says what it left on the machine.
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { arch } from "node:process";
import { text } from "node:stream/consumers";
import { nativePart } from "./facts.ts";
import { containersEver, nothingLeft } from "./leftovers.ts";
import { ended } from "./processes.ts";
import { copyFiles, programFiles } from "./programs.ts";
import { writeLayout } from "./oci-layout.ts";

export { leftovers, nothingLeft } from "./leftovers.ts";

export interface LapResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface RunOptions {
  readonly input?: string | Buffer;
  readonly timeoutMs?: number;
  readonly env?: NodeJS.ProcessEnv;
  /** In the machine's own network namespace, whatever the store's is. */
  readonly outside?: boolean;
}

/** Programs of the fixture image `progs:1`. */
const PROGRAMS = [
  "sh",
  "ls",
  "cat",
  "rm",
  "mkdir",
  "sleep",
  "echo",
  "true",
  "false",
  "id",
  "env",
  "head",
  "touch",
  "chmod",
  "chown",
  "ln",
  "stat",
  "mv",
  "dd",
  "kill",
  "tty",
  "stty",
];

/** A reaper that is late writes there while it is removed: ENOTEMPTY, tried again. */
const REMOVAL = { recursive: true, force: true, maxRetries: 50, retryDelay: 20 } as const;

/** A store in a temporary folder; dispose removes its containers and the folder. */
export class LapStore {
  readonly folder: string = mkdtempSync(join(tmpdir(), "lap-e2e-"));
  readonly root: string;
  readonly #command: readonly [string, ...string[]];

  /**
   * `netns` is the path of a network namespace that stands for the machine's, `mounts` that of a mount namespace within it; `root` a store
   * elsewhere, whose folder stays.
   */
  constructor(options: { readonly netns?: string; readonly mounts?: string; readonly root?: string } = {}) {
    this.root = options.root ?? join(this.folder, "store");
    const lap = nativePart("lap");
    const { netns, mounts } = options;
    const space = mounts === undefined ? [] : [`--mount=${mounts}`];
    this.#command = netns === undefined ? [lap] : ["nsenter", `--net=${netns}`, ...space, lap];
  }

  /** Runs to the end; `input` becomes standard input. */
  run(args: readonly string[], options: RunOptions = {}): LapResult {
    const [program, ...before] = options.outside === true ? [nativePart("lap")] : this.#command;
    const { status, signal, stdout, stderr, error } = spawnSync(program, [...before, "--root", this.root, ...args], {
      input: options.input ?? "",
      timeout: options.timeoutMs ?? 30_000,
      killSignal: "SIGKILL",
      maxBuffer: 256 * 1024 * 1024,
      env: { ...process.env, ...options.env },
    });
    if (error !== undefined) throw error;
    return { code: signal === null ? status : null, stdout: stdout.toString("latin1"), stderr: stderr.toString() };
  }

  /** Runs and requires exit code 0; gives trimmed standard output. */
  ok(...args: string[]): string {
    const { code, stdout, stderr } = this.run(args);
    if (code !== 0) throw new Error(`lap ${args.join(" ")} exited ${code}: ${stderr}`);
    return stdout.trimEnd();
  }

  /** Starts without waiting. */
  spawn(args: readonly string[]): ChildProcess {
    const [program, ...before] = this.#command;
    return spawn(program, [...before, "--root", this.root, ...args], { stdio: ["pipe", "pipe", "pipe"] });
  }

  /** Loads `progs:1`: two layers made of programs of this machine. */
  loadPrograms(): void {
    const lower = join(this.folder, "lower");
    const upper = join(this.folder, "upper");
    copyFiles(lower, programFiles(programPaths()));
    for (const dir of ["tmp", "etc", "data/sub"]) mkdirSync(join(lower, dir), { recursive: true });
    spawnSync("sh", [
      "-c",
      `printf 'root:x:0:0:root:/root:/bin/sh\nbob:x:1000:1000::/home/bob:/bin/sh\n' > ${lower}/etc/passwd; printf 'root:x:0:\nbob:x:1000:\n' > ${lower}/etc/group; echo lower > ${lower}/data/file; echo gone > ${lower}/data/gone; echo keep > ${lower}/data/sub/keep`,
    ]);
    mkdirSync(join(upper, "data"), { recursive: true });
    spawnSync("sh", [
      "-c",
      `echo upper > ${upper}/data/file; : > ${upper}/data/.wh.gone; printf '#!/bin/nosuch\n' > ${upper}/data/badscript; echo x > ${upper}/data/noexec; chmod 755 ${upper}/data/badscript`,
    ]);
    const layout = join(this.folder, "layout");
    const platform = { os: "linux", architecture: arch === "arm64" ? "arm64" : "amd64" };
    writeLayout(layout, [
      {
        tag: "progs:1",
        layers: [lower, upper],
        config: { Cmd: ["sh"], Env: ["PATH=/usr/local/bin:/usr/bin:/bin"] },
        platform,
      },
    ]);
    this.ok("load", "-i", layout);
  }

  /** Runs to the end without keeping this process from anything else meanwhile; standard input is empty. */
  async lap(...args: readonly string[]): Promise<LapResult> {
    const child = this.spawn(args);
    child.stdin!.end();
    const [stdout, stderr, code] = await Promise.all([text(child.stdout!), text(child.stderr!), ended(child)]);
    return { code, stdout, stderr };
  }

  /** Disposes and requires that nothing of the store is left on the machine: `afterAll(() => store.close())`. */
  async close(): Promise<void> {
    const ids = containersEver(this.root);
    this[Symbol.dispose]();
    await nothingLeft(this.folder, ids);
    // A reaper that was late may have made a folder of it again.
    rmSync(this.folder, REMOVAL);
  }

  [Symbol.dispose](): void {
    if (existsSync(this.root)) {
      const ids = this.run(["ps", "-aq", "--no-trunc"])
        .stdout.split("\n")
        .filter((id) => id !== "");
      if (ids.length > 0) this.run(["rm", "-f", ...ids]);
      // The default network's bridge too.
      if (existsSync(join(this.root, "networks"))) this.run(["network", "prune", "-f"]);
    }
    rmSync(this.folder, REMOVAL);
  }
}

function programPaths(): string[] {
  return PROGRAMS.flatMap((name) => {
    const { stdout, status } = spawnSync("sh", ["-c", `PATH=/bin:/usr/bin; which ${name}`], { encoding: "utf8" });
    return status === 0 ? [stdout.trim()] : [];
  });
}
