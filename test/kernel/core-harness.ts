// Containers for core's kernel tests: a throw-away directory, an overlay of the host's root, collected output.
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import type { ProcessSpec, RuntimeSpec } from "@lapstrake/base";
import {
  cleanup,
  compile,
  compileExec,
  defaultSpec,
  hostFacts,
  launch,
  type ExitStatus,
  type HostFacts,
  type Launched,
  type LaunchExtras,
  type LaunchOptions,
} from "@lapstrake/core";

const facts: HostFacts = hostFacts();

/** What this host lacks for core's kernel tests, undefined when nothing. */
export const missing: string | undefined =
  facts.euid !== 0 ? "not root" : facts.shim === undefined ? "native.shim: no C compiler" : undefined;

let counter = 0;

/** All of a stream as text. */
export async function collect(stream: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

/** One container on the host's root, removed by disposing. */
export class TestContainer implements Disposable {
  readonly id: string = `core-test-${process.pid}-${counter++}`;
  readonly dir: string = mkdtempSync(join(tmpdir(), "lap-core-"));
  spec: RuntimeSpec;
  launched: Launched | undefined;

  constructor(args: readonly string[], change: (spec: RuntimeSpec) => RuntimeSpec = (spec) => spec) {
    for (const name of ["c", "up", "work"]) mkdirSync(join(this.dir, name));
    const base = defaultSpec();
    this.spec = change({ ...base, hostname: "box", process: { ...base.process!, args } });
  }

  get containerDir(): string {
    return join(this.dir, "c");
  }

  options(options: Partial<LaunchOptions> = {}): LaunchOptions {
    return {
      containerDir: this.containerDir,
      id: this.id,
      stdio: "pipes",
      openStdin: false,
      stdinOnce: false,
      log: { path: join(this.containerDir, "log.json"), maxBytes: 0, maxFiles: 1 },
      reapArgv: [],
      foreground: true,
      initialClient: true,
      ...options,
    };
  }

  async start(options: Partial<LaunchOptions> = {}, extras: LaunchExtras = {}): Promise<Launched> {
    const overlay = {
      kind: "overlay",
      lowerdirs: ["/"],
      upperdir: join(this.dir, "up"),
      workdir: join(this.dir, "work"),
    } as const;
    const plan = compile({ spec: this.spec, rootfs: overlay }, facts, this.options(options));
    this.launched = await launch(plan, extras);
    return this.launched;
  }

  async exec(
    process: Partial<ProcessSpec>,
    pidStartTime: number,
    options: Partial<LaunchOptions> = {},
  ): Promise<Launched> {
    const dir = join(this.dir, `exec-${counter++}`);
    mkdirSync(dir);
    const target = { id: this.id, spec: this.spec, pid: this.launched!.pid, pidStartTime };
    const all = this.options({ containerDir: dir, log: null, ...options });
    return launch(compileExec(target, { ...this.spec.process!, ...process }, facts, all));
  }

  [Symbol.dispose](): void {
    this.launched?.attachment?.reaped();
    cleanup(undefined, this.id);
    rmSync(this.dir, { recursive: true, force: true });
  }
}

/** Output and end of a launched process. */
export async function finish(launched: Launched): Promise<{ stdout: string; stderr: string; status: ExitStatus }> {
  const { attachment } = launched;
  const [stdout, stderr, status] = await Promise.all([
    collect(attachment!.stdout),
    collect(attachment!.stderr),
    attachment!.exited,
  ]);
  attachment!.reaped();
  return { stdout, stderr, status };
}

/** Runs a command to its end. */
export async function run(
  args: readonly string[],
  change?: (spec: RuntimeSpec) => RuntimeSpec,
  options?: Partial<LaunchOptions>,
): Promise<{ stdout: string; stderr: string; status: ExitStatus }> {
  using container = new TestContainer(args, change);
  return await finish(await container.start(options));
}

/** Runs a shell script. */
export function sh(script: string, change?: (spec: RuntimeSpec) => RuntimeSpec): ReturnType<typeof run> {
  return run(["sh", "-c", script], change);
}

/** Our cgroup directories that are left on this host. */
export function leftoverCgroups(): string[] {
  return facts.cgroups
    .map((mount) => join(mount.mountPoint, "lapstrake"))
    .filter((dir) => existsSync(dir))
    .flatMap((dir) => readdirSync(dir).filter((name) => name.startsWith(`core-test-${process.pid}-`)));
}
