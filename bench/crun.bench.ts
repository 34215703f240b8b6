// Our launch and exec in process against `crun run` and `crun exec`, over one bundle with every namespace and the default seccomp
// profile. crun refuses a host whose v2 hierarchy has controllers beside v1, so this measures in a mount namespace of its own where
// the v2 hierarchy is all there is; its controllers may be on v1, so there are no limits.
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { geteuid, pid } from "node:process";
import type { RuntimeSpec } from "@lapstrake/base";
import {
  cleanup,
  compile,
  compileExec,
  hostFacts,
  launch,
  startTime,
  type ExecTarget,
  type LaunchOptions,
  type Launched,
} from "@lapstrake/core";
import { nativePart } from "../test/support/native.ts";
import { commandVariant, prepare, startToExit, which } from "./commands.ts";
import { busyboxMissing, busyboxRootfs } from "./fixtures.ts";
import type { Suite, Variant } from "./harness.ts";
import type { OpenSuite } from "./main.ts";
import { bundleSpec, writeBundle } from "./oci-bundle.ts";

/** Runs of a command that one measurement takes together: a shell starts them cheaper than Node. */
const BATCH = 5;
const IDLE = ["/bin/sleep", "600"];

interface Place {
  readonly root: string;
  readonly bundles: string;
  readonly held: AsyncDisposableStack;
}

/** A mount namespace with cgroup v2 alone, unless this process is in one or on such a host. */
export function enter(): readonly [string, ...string[]] | undefined {
  if (hostFacts().cgroupMode === "v2") return undefined;
  const script =
    'mount --make-rprivate / && umount -R /sys/fs/cgroup && mount -t cgroup2 cgroup2 /sys/fs/cgroup && exec "$@"';
  return ["unshare", "--mount", "sh", "-c", script, "sh"];
}

function optionsIn(place: Place, id: string): LaunchOptions {
  const containerDir = mkdtempSync(join(place.root, "container-"));
  const streams = { stdio: "pipes", openStdin: false, stdinOnce: false, log: null } as const;
  return { containerDir, id, ...streams, reapArgv: [], foreground: true, initialClient: true };
}

async function start(place: Place, spec: RuntimeSpec, id: string): Promise<Launched> {
  const rootfs = { kind: "dir", path: join(place.bundles, "rootfs") } as const;
  return await launch(compile({ spec, rootfs }, hostFacts(), optionsIn(place, id)));
}

async function ended({ attachment }: Launched): Promise<void> {
  const { exitCode } = await attachment!.exited;
  attachment!.reaped();
  await attachment![Symbol.asyncDispose]();
  if (exitCode !== 0) throw new Error(`/bin/true exited ${exitCode}`);
}

function startInProcess(place: Place): Variant {
  const spec = bundleSpec(join(place.bundles, "rootfs"), ["/bin/true"], {});
  const id = `lap-bench-run-${pid}`;
  place.held.defer(() => cleanup(undefined, id));
  const run = async (): Promise<void> => {
    await ended(await start(place, spec, id));
    // As crun does it, each run has a cgroup of its own.
    cleanup(undefined, id);
  };
  return { name: "in process run", run };
}

async function execInProcess(place: Place): Promise<Variant> {
  const spec = bundleSpec(join(place.bundles, "rootfs"), IDLE, {});
  const id = `lap-bench-exec-${pid}`;
  const idle = await start(place, spec, id);
  place.held.defer(async () => {
    idle.attachment!.signal(9);
    await idle.attachment!.exited;
    idle.attachment!.reaped();
    cleanup(undefined, id);
  });
  const target: ExecTarget = { id, spec, pid: idle.pid, pidStartTime: startTime(idle.pid)! };
  const process = { ...spec.process!, args: ["/bin/true"] };
  const run = async (): Promise<void> =>
    ended(await launch(compileExec(target, process, hostFacts(), optionsIn(place, id))));
  return { name: "in process exec", run };
}

function batch(name: string, command: string, words: readonly string[], missing: string | undefined): Variant {
  let count = 0;
  const script = `i=0; while [ $i -lt ${BATCH} ]; do ${command} ${words.join(" ")} || exit; i=$((i+1)); done`;
  const run = async (): Promise<number> => {
    const unique = script.replaceAll("@", `lap-bench-${pid}-${count++}-$i`);
    return (await startToExit("/bin/sh", ["-c", unique])) / BATCH;
  };
  return { name, run, ...(missing === undefined ? {} : { missing }) };
}

function refusalOf(command: string, bundle: string): string | undefined {
  try {
    prepare(command, ["run", "--bundle", bundle, `lap-bench-try-${pid}`]);
    return undefined;
  } catch (error) {
    return (error as Error).message.split("\n")[0];
  }
}

function commandVariants(place: Place, name: string, command: string | undefined): Variant[] {
  const bundle = join(place.bundles, "true");
  const missing = command === undefined ? "not installed" : refusalOf(command, bundle);
  const idle = `lap-bench-idle-${name}-${pid}`;
  if (command !== undefined && missing === undefined) {
    // A created container keeps the streams it was given.
    prepare("sh", [
      "-c",
      `${command} run --detach --bundle ${join(place.bundles, "idle")} ${idle} >/dev/null 2>&1 </dev/null`,
    ]);
    place.held.defer(() => void prepare(command, ["delete", "--force", idle]));
  }
  return [
    batch(`${name} run`, command ?? name, ["run", "--bundle", bundle, "@"], missing),
    batch(`${name} exec`, command ?? name, ["exec", idle, "/bin/true"], missing),
  ];
}

async function suiteAt(place: Place): Promise<Suite> {
  return {
    title: `beside crun, cgroup v2 alone (commands in batches of ${BATCH})`,
    reference: "crun run",
    rounds: 30,
    warmup: 3,
    variants: [
      startInProcess(place),
      await execInProcess(place),
      ...commandVariants(place, "crun", process.env["LAP_BENCH_CRUN"] ?? which("crun")),
      ...commandVariants(place, "runc", which("runc")),
      ...commandVariants(place, "lap-runtime", nativePart("lap-runtime")),
      commandVariant("host /bin/true", "/bin/true", () => [], undefined),
    ],
    thresholds: [
      { subject: "in process run", reference: "crun run", atMost: 1 / 2.5 },
      { subject: "in process run", reference: "runc run", atMost: 1 / 8 },
      { subject: "in process exec", reference: "crun exec", atMost: 1 / 2.5 },
    ],
  };
}

/** Makes the bundles and starts an idle container of each; needs root and busybox-static. */
export async function open(): Promise<OpenSuite> {
  if (geteuid?.() !== 0) throw new Error("bench crun needs root: it makes namespaces and mounts");
  const lacking = busyboxMissing();
  if (lacking !== undefined) throw new Error(`bench crun needs a root filesystem: ${lacking}`);
  const root = mkdtempSync(join(tmpdir(), "lap-bench-crun-"));
  await using making = new AsyncDisposableStack();
  making.defer(() => rmSync(root, { recursive: true, force: true }));
  const place: Place = { root, bundles: join(root, "bundles"), held: making };
  mkdirSync(place.bundles);
  busyboxRootfs(join(place.bundles, "rootfs"));
  writeBundle(place.bundles, "true", ["/bin/true"], {});
  writeBundle(place.bundles, "idle", IDLE, {});
  const suite = await suiteAt(place);
  const held = making.move();
  return { suite, [Symbol.asyncDispose]: () => held.disposeAsync() };
}
