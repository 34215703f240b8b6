// What a test may need of the machine. A test whose fact is missing is skipped under a name that says so,
// and the reporter beside this file prints it. Dotted names are the ids of `lap doctor`; the others are below.
import { spawnSync } from "node:child_process";
import { accessSync, constants, existsSync, readFileSync, statSync } from "node:fs";
import { env, geteuid, platform } from "node:process";
import { delimiter, dirname, join } from "node:path";
import { doctorFacts } from "@lapstrake/core";
import { describe, test } from "vitest";
import { nativePart } from "./native.ts";

export { nativePart } from "./native.ts";

type Probe = () => boolean;

const PROBES: Readonly<Record<string, Probe>> = {
  linux: () => platform === "linux",
  root: () => geteuid?.() === 0,
  "non-root": () => geteuid?.() !== 0,
  overlayfs: () => listed("/proc/filesystems", /\toverlay$/m),
  "cgroup-v1": () => listed("/proc/self/mountinfo", / - cgroup /),
  "cgroup-v2": () => listed("/proc/self/mountinfo", / - cgroup2 /),
  // Tests that become another user need the clone to be readable for that user.
  "clone-open-to-all": () => isOpenToAll(join(import.meta.dirname, "../..")),
  native: () => existsSync(nativePart("lap-shim")),
  "loop-ext4": () => existsSync("/dev/loop-control") && commandExists("mkfs.ext4"),
  "project-quota": canMountQuota,
  "docker-daemon": () => commandExists("docker") && succeeds("docker", ["version"]),
  "podman-works": () => commandExists("podman") && succeeds("podman", ["info"]),
};

/** Many kernels, and many of CI machines, are built without. */
function canMountQuota(): boolean {
  if (geteuid?.() !== 0 || !existsSync("/dev/loop-control") || !commandExists("mkfs.ext4")) return false;
  const script = `set -e; cd $(mktemp -d); trap 'rmdir m; rm -f i; rmdir "$PWD"' EXIT; mkdir m; truncate -s 16M i
    mkfs.ext4 -q -O quota,project -E quotatype=prjquota i; mount -o loop,prjquota i m; umount m`;
  // An emulated machine takes its time.
  return succeeds("sh", ["-c", script], 120_000);
}

function isOpenToAll(folder: string): boolean {
  const mode = statSync(folder).mode;
  if ((mode & 0o5) !== 0o5) return false;
  return folder === "/" || isOpenToAll(dirname(folder));
}

function listed(file: string, pattern: RegExp): boolean {
  return existsSync(file) && pattern.test(readFileSync(file, "utf8"));
}

function succeeds(command: string, args: readonly string[], timeoutMs = 10_000): boolean {
  return spawnSync(command, args, { stdio: "ignore", timeout: timeoutMs }).status === 0;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false; // not there and not executable are the same answer here
  }
}

/** True when `name` is an executable on PATH. */
export function commandExists(name: string): boolean {
  return (env["PATH"] ?? "").split(delimiter).some((folder) => folder !== "" && isExecutable(join(folder, name)));
}

function probe(fact: string): boolean {
  const [kind = "", rest = ""] = fact.split(/:(.*)/s);
  if (kind === "command") return commandExists(rest);
  if (kind === "env") return (env[rest] ?? "") !== "";
  const own = PROBES[fact];
  if (own !== undefined) return own();
  const known = fact.includes(".") ? doctorFacts().find(({ id }) => id === fact) : undefined;
  if (known === undefined)
    throw new Error(`unknown host fact "${fact}": name one of lap doctor or of test/support/facts.ts`);
  return known.verdict === "ok";
}

const seen = new Map<string, boolean>();

/** True when the machine has the fact: a probe name, `command:NAME`, `env:NAME`, or the id of a line of `lap doctor`. */
export function hasFact(fact: string): boolean {
  const known = seen.get(fact) ?? probe(fact);
  seen.set(fact, known);
  return known;
}

/** The named facts that this machine lacks. */
export function missingFacts(...facts: readonly string[]): string[] {
  return facts.filter((fact) => !hasFact(fact));
}

/** `describe` and `test` that run only where every named fact holds. */
export interface Needing {
  describe(name: string, body: () => void): void;
  test(name: string, body: () => void | Promise<void>, timeoutMs?: number): void;
}

/** Declares what the tests need: `needs("root", "overlayfs").describe(…)`; a missing fact skips them by name. */
export function needs(...facts: readonly string[]): Needing {
  const missing = missingFacts(...facts);
  if (missing.length === 0) {
    return {
      describe: (name, body) => describe(name, body),
      test: (name, body, timeoutMs) => test(name, body, timeoutMs),
    };
  }
  const suffix = ` [needs ${missing.join(", ")}]`;
  return {
    describe: (name, body) => describe.skip(name + suffix, body),
    test: (name, body, timeoutMs) => test.skip(name + suffix, body, timeoutMs),
  };
}

/** A title for `skipIf(lacks)`: it names what is missing when it is, so that the reporter can. */
export function titleUnless(lacks: boolean, what: string, title: string): string {
  return lacks ? `${title} [needs ${what}]` : title;
}
