// Start to exit of /bin/true on busybox: our launch in process and as `lap run`, a C program that does the same namespaces
// and mounts, runc, docker, and Node with nothing to do. All in a network namespace with loopback only.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execPath, geteuid, pid } from "node:process";
import type { RuntimeSpec } from "@lapstrake/base";
import { cleanup, compile, defaultSpec, hostFacts, launch, type LaunchOptions } from "@lapstrake/core";
import { nativePart } from "../test/support/native.ts";
import { commandVariant, outputOf, prepare, which } from "./commands.ts";
import { busyboxMissing, busyboxLayout, busyboxRootfs } from "./fixtures.ts";
import type { Suite, Variant } from "./harness.ts";
import type { OpenSuite } from "./main.ts";

const CONTAINER = "bench";
const IMAGE = `lap-bench:${pid}`;

interface Place {
  readonly root: string;
  readonly rootfs: string;
  readonly held: AsyncDisposableStack;
}

function trueSpec(rootfs: string): RuntimeSpec {
  const base = defaultSpec();
  const process = { cwd: "/", args: ["/bin/true"], env: ["PATH=/bin"], user: { uid: 0, gid: 0 } };
  return { ...base, process: { ...base.process, ...process }, root: { path: rootfs }, hostname: "bench" };
}

function launchOptions(place: Place): LaunchOptions {
  const containerDir = mkdtempSync(join(place.root, "container-"));
  const streams = { stdio: "pipes", openStdin: false, stdinOnce: false, log: null } as const;
  return { containerDir, id: CONTAINER, ...streams, reapArgv: [], foreground: true, initialClient: true };
}

/** What `engine` asks of core for one container, without records and images. */
async function launchOnce(place: Place, spec: RuntimeSpec): Promise<void> {
  const options = launchOptions(place);
  const plan = compile({ spec, rootfs: { kind: "dir", path: place.rootfs } }, hostFacts(), options);
  const { attachment } = await launch(plan);
  if (attachment === undefined) throw new Error("the launch returned no attachment");
  const { exitCode } = await attachment.exited;
  attachment.reaped();
  await attachment[Symbol.asyncDispose]();
  if (exitCode !== 0) throw new Error(`/bin/true exited ${exitCode}`);
}

function inProcess(place: Place): Variant {
  const spec = trueSpec(place.rootfs);
  return { name: "in process", run: () => launchOnce(place, spec) };
}

/** Built when it is asked for: nothing ships it. It times itself, as the launch in process does. */
function probe(place: Place): Variant {
  prepare(execPath, [join(import.meta.dirname, "../native/build.mjs"), "--probe"]);
  const args = ["-t", place.rootfs, "/bin/true"];
  return { name: "C probe", run: async () => Number(await outputOf(nativePart("lap-probe"), args)) / 1000 };
}

function runc(place: Place): Variant {
  const bundle = join(place.root, "bundle");
  mkdirSync(bundle);
  const spec = trueSpec(place.rootfs);
  // runc adds the default devices itself, and refuses our rule that closes one of them again.
  const resources = { ...spec.linux?.resources, devices: [{ allow: false, access: "rwm" }] };
  const config = { ...spec, linux: { ...spec.linux, resources } };
  writeFileSync(join(bundle, "config.json"), JSON.stringify(config));
  let count = 0;
  return commandVariant(
    "runc run",
    which("runc"),
    () => ["run", "--bundle", bundle, `lap-bench-${pid}-${count++}`],
    undefined,
  );
}

function lap(place: Place): Variant {
  const command = nativePart("lap");
  const store = ["--root", join(place.root, "store")];
  const layout = join(place.root, "layout");
  busyboxLayout(place.rootfs, layout, IMAGE);
  const missing = failure(command, [...store, "load", "-i", layout]);
  return commandVariant(
    "lap run",
    command,
    () => [...store, "run", "--rm", "--network", "none", IMAGE, "/bin/true"],
    missing,
  );
}

function docker(place: Place): Variant {
  const command = which("docker");
  const missing = command === undefined ? undefined : failure(command, ["version"]);
  if (command !== undefined && missing === undefined) {
    prepare("sh", ["-c", `tar -C ${place.rootfs} -c . | docker import - ${IMAGE}`]);
    place.held.defer(() => void prepare(command, ["rmi", "-f", IMAGE]));
  }
  const args = (): string[] => ["run", "--rm", "--network", "none", IMAGE, "/bin/true"];
  return commandVariant("docker run", command, args, missing);
}

/** Why a variant's preparation does not work here; its first line goes into the report. */
function failure(command: string, args: readonly string[]): string | undefined {
  try {
    prepare(command, args);
    return undefined;
  } catch (error) {
    return (error as Error).message.split("\n")[0];
  }
}

function suiteAt(place: Place): Suite {
  return {
    title: "start to exit of /bin/true",
    reference: "runc run",
    rounds: 30,
    warmup: 3,
    variants: [
      inProcess(place),
      probe(place),
      runc(place),
      lap(place),
      docker(place),
      commandVariant("node -e 0", execPath, () => ["-e", "0"], undefined),
      commandVariant("host /bin/true", "/bin/true", () => [], undefined),
    ],
    thresholds: [
      { subject: "in process", reference: "C probe", atMost: 3 },
      { subject: "in process", reference: "runc run", atMost: 1 / 5 },
      { subject: "lap run", reference: "runc run", atMost: 1.6 },
      { subject: "lap run", reference: "docker run", atMost: 1 / 4 },
    ],
  };
}

/** Makes root filesystem, image and bundle in a temporary folder; needs root and busybox-static. */
export async function open(): Promise<OpenSuite> {
  if (geteuid?.() !== 0) throw new Error("bench start needs root: it makes namespaces and mounts");
  const missing = busyboxMissing();
  if (missing !== undefined) throw new Error(`bench start needs a root filesystem: ${missing}`);
  const root = mkdtempSync(join(tmpdir(), "lap-bench-"));
  await using making = new AsyncDisposableStack();
  making.defer(() => rmSync(root, { recursive: true, force: true }));
  // The launches share one cgroup, so that making it is not what is measured more than once.
  making.defer(() => cleanup(undefined, CONTAINER));
  const place: Place = { root, rootfs: join(root, "rootfs"), held: making };
  busyboxRootfs(place.rootfs);
  const suite = suiteAt(place);
  const held = making.move();
  return { suite, [Symbol.asyncDispose]: () => held.disposeAsync() };
}
