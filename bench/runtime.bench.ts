// OCI runtimes as commands, over one bundle with every namespace, limits and the default seccomp profile: run, exec, the three
// calls of a life that engines make; and the private memory of a hundred idle containers against as many conmons, printed aside.
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { geteuid, pid } from "node:process";
import { nativePart } from "../test/support/native.ts";
import { outputOf, prepare, which } from "./commands.ts";
import { busyboxMissing, busyboxRootfs } from "./fixtures.ts";
import type { Suite, Variant } from "./harness.ts";
import type { OpenSuite } from "./main.ts";
import { LIMITS, writeBundle } from "./oci-bundle.ts";

const IDLE = 100;

interface Runtime {
  readonly name: string;
  readonly command: string | undefined;
  readonly missing: string | undefined;
}

interface Place {
  readonly root: string;
  readonly bundle: string;
}

let count = 0;
const freshId = (): string => `lap-bench-${pid}-${count++}`;

function variant(runtime: Runtime, what: string, run: (command: string) => Promise<unknown>): Variant {
  const { name, command, missing } = runtime;
  const done = async (): Promise<void> => void (await run(command ?? ""));
  return { name: `${name} ${what}`, ...(missing === undefined ? {} : { missing }), run: done };
}

function runVariant(runtime: Runtime, place: Place): Variant {
  const bundle = join(place.bundle, "true");
  return variant(runtime, "run", (command) => outputOf(command, ["run", "--bundle", bundle, freshId()]));
}

// A created container keeps the streams it was given, so these go to nowhere.
function quietly(command: string, args: readonly string[]): void {
  const { status } = spawnSync(command, args, { stdio: "ignore", timeout: 30_000 });
  if (status !== 0) throw new Error(`${command} ${args.join(" ")} exited ${status}`);
}

function lifeVariant(runtime: Runtime, place: Place): Variant {
  const bundle = join(place.bundle, "sleep");
  return variant(runtime, "create+start+delete", async (command) => {
    const id = freshId();
    quietly(command, ["create", "--bundle", bundle, id]);
    quietly(command, ["start", id]);
    quietly(command, ["delete", "--force", id]);
    await Promise.resolve();
  });
}

function startIdle(runtime: Runtime, place: Place, held: AsyncDisposableStack): string {
  const id = freshId();
  const { command = "" } = runtime;
  quietly(command, ["create", "--bundle", join(place.bundle, "sleep"), id]);
  held.defer(() => quietly(command, ["delete", "--force", id]));
  quietly(command, ["start", id]);
  return id;
}

function execVariant(runtime: Runtime, place: Place, held: AsyncDisposableStack): Variant {
  const id = runtime.missing === undefined ? startIdle(runtime, place, held) : "";
  return variant(runtime, "exec", (command) => outputOf(command, ["exec", id, "/bin/true"]));
}

/** Private bytes of processes whose name and command line match: what goes away with them. */
function privateBytes(name: string, word: string): { readonly processes: number; readonly bytes: number } {
  let bytes = 0;
  let processes = 0;
  for (const entry of readdirSync("/proc").filter((one) => /^\d+$/.test(one))) {
    try {
      if (readFileSync(`/proc/${entry}/comm`, "latin1").trim() !== name) continue;
      if (!readFileSync(`/proc/${entry}/cmdline`, "latin1").includes(word)) continue;
      const text = readFileSync(`/proc/${entry}/smaps_rollup`, "latin1");
      for (const match of text.matchAll(/^Private_\w+:\s+(\d+) kB/gm)) bytes += Number(match[1]) * 1024;
      processes++;
    } catch {
      // It ended while we looked.
    }
  }
  return { processes, bytes };
}

// As `lap run -d` leaves it: the supervisor is what stays of us beside the program.
function idleSupervisors(place: Place, held: AsyncDisposableStack): string {
  const lap = nativePart("lap");
  const store = ["--root", join(place.root, "store")];
  held.defer(() => void spawnSync(lap, [...store, "rm", "-f", ...names], { stdio: "ignore", timeout: 120_000 }));
  const names: string[] = [];
  prepare("sh", ["-c", `tar -C ${join(place.bundle, "rootfs")} -c . | ${lap} ${store.join(" ")} import - idle:1`]);
  for (let i = 0; i < IDLE; i++) {
    names.push(`idle-${i}`);
    quietly(lap, [...store, "run", "-d", "--name", `idle-${i}`, "--network", "none", "idle:1", "/bin/sleep", "600"]);
  }
  const { processes, bytes } = privateBytes("lap-shim", "");
  return `  ${processes} supervisors and guards of ours: ${(bytes / 1e6).toFixed(1)} MB private`;
}

function idleConmons(place: Place, held: AsyncDisposableStack): string {
  const conmon = which("conmon");
  const runtime = which("runc");
  if (conmon === undefined || runtime === undefined) return "  conmon or runc is not installed";
  const folder = join(place.root, "conmon");
  mkdirSync(folder);
  const ids: string[] = [];
  held.defer(() => {
    for (const id of ids) spawnSync(runtime, ["delete", "--force", id], { stdio: "ignore", timeout: 30_000 });
  });
  for (let i = 0; i < IDLE; i++) {
    const id = freshId();
    ids.push(id);
    const files = ["-p", join(folder, `${id}.pid`), "-l", `k8s-file:${join(folder, id)}.log`];
    const paths = ["-b", join(place.bundle, "sleep"), "-r", runtime, "--exit-dir", folder, "--socket-dir-path", folder];
    quietly(conmon, ["-c", id, "-u", id, "-n", id, ...paths, ...files]);
    // conmon comes back before its container is made.
    quietly("sh", ["-c", `for i in $(seq 100); do ${runtime} start ${id} && exit 0; sleep 0.05; done; exit 1`]);
  }
  const { processes, bytes } = privateBytes("conmon", `lap-bench-${pid}-`);
  return `  ${processes} conmons: ${(bytes / 1e6).toFixed(1)} MB private`;
}

async function printIdle(place: Place): Promise<void> {
  for (const measure of [idleSupervisors, idleConmons]) {
    await using held = new AsyncDisposableStack();
    console.log(measure(place, held));
  }
}

/** Makes the bundles in a temporary folder; needs root and busybox-static. crun is left out where it refuses the host. */
export async function open(): Promise<OpenSuite> {
  if (geteuid?.() !== 0) throw new Error("bench runtime needs root: it makes namespaces and mounts");
  const lacking = busyboxMissing();
  if (lacking !== undefined) throw new Error(`bench runtime needs a root filesystem: ${lacking}`);
  const root = mkdtempSync(join(tmpdir(), "lap-bench-runtime-"));
  await using making = new AsyncDisposableStack();
  making.defer(() => rmSync(root, { recursive: true, force: true }));
  const place: Place = { root, bundle: join(root, "bundles") };
  busyboxRootfs(join(place.bundle, "rootfs"));
  writeBundle(place.bundle, "true", ["/bin/true"], LIMITS);
  writeBundle(place.bundle, "sleep", ["/bin/sleep", "600"], LIMITS);
  const runtimes = ["lap-runtime", "runc", "crun"].map((name): Runtime => {
    const command = name === "lap-runtime" ? nativePart(name) : which(name);
    return { name, command, missing: command === undefined ? "not installed" : refusalOf(command, place) };
  });
  if (process.env["LAP_BENCH_IDLE"] !== undefined) await printIdle(place);
  const suite = suiteOf(runtimes, place, making);
  const held = making.move();
  return { suite, [Symbol.asyncDispose]: () => held.disposeAsync() };
}

/** Why a runtime cannot run here; its first line goes into the report. */
function refusalOf(command: string, place: Place): string | undefined {
  const args = ["run", "--bundle", join(place.bundle, "true"), freshId()];
  const { status, stderr } = spawnSync(command, args, { encoding: "utf8", timeout: 30_000 });
  return status === 0 ? undefined : (stderr.split("\n")[0] ?? "refused");
}

function suiteOf(runtimes: readonly Runtime[], place: Place, held: AsyncDisposableStack): Suite {
  const variants = runtimes.flatMap((runtime) => [
    runVariant(runtime, place),
    lifeVariant(runtime, place),
    execVariant(runtime, place, held),
  ]);
  return {
    title: "OCI runtimes as commands",
    reference: "runc run",
    rounds: 20,
    warmup: 3,
    variants,
    thresholds: [
      { subject: "lap-runtime run", reference: "runc run", atMost: 1.1 },
      { subject: "lap-runtime create+start+delete", reference: "runc create+start+delete", atMost: 0.5 },
      { subject: "lap-runtime exec", reference: "runc exec", atMost: 2 },
    ],
  };
}
