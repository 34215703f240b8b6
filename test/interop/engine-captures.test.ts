// The recorded docker cases ($LAP_DOCKER_CAPTURES, a folder of recordings), replayed in their order on a fresh store per file.
// Standard output, standard error and exit code must be equal under the masks of test/support/captures.ts, or the case must be
// listed with its reason in engine-captures-known.ts. LAP_CAPTURES_SHOW=1 prints every difference.
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { env } from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { raiseLoopback } from "@lapstrake/core";
import { afterAll, expect, it } from "vitest";
import { openSpace } from "../kernel/core-net-spaces.ts";
import { asLap, captureArgs, masked, parseCaptures, type Capture } from "../support/captures.ts";
import { comparable } from "../support/captures-newer.ts";
import { needs } from "../support/facts.ts";
import { LapStore } from "../support/lap.ts";
import { tarFolder } from "../support/oci-layout.ts";
import { copyFiles } from "../support/programs.ts";
import { KNOWN, NEWER } from "./engine-captures-known.ts";

const FILES = [
  "run",
  "exec",
  "lifecycle",
  "ps",
  "images",
  "fs",
  "inspect",
  "logs",
  "events",
  "netvol",
  "port",
  "stats",
  "top",
  "system",
  "reg",
];
const APPLETS = [
  "sh",
  "ls",
  "cat",
  "echo",
  "true",
  "false",
  "sleep",
  "rm",
  "mkdir",
  "ln",
  "chmod",
  "grep",
  "ps",
  "kill",
];
const LOOP = "echo out; echo err >&2; while :; do sleep 1; done";
const CAP1 = ["run", "-d", "--name", "cap1", "-l", "a=b", "-p", "127.0.0.1:18080:80"];
const HEALTH = ["--health-cmd", "true", "--health-interval", "1s"];

/** Commands that the recording left out, by file and number of the case they come before; -1 is the beginning. */
const BETWEEN: Readonly<Record<string, Readonly<Record<string, readonly string[][]>>>> = {
  exec: { "docker exec capx true": [["run", "--name", "capx", "bb:latest", "true"]] },
  top: { "docker top capx": [["run", "--name", "capx", "bb:latest", "true"]] },
  lifecycle: {
    "docker create --name cap3 bb:latest sleep 1000": [["run", "--name", "capx", "bb:latest", "true"]],
    "docker pause cap3": [["pause", "cap3"]],
    "docker kill -s HUP cap3": [["start", "cap3"]],
    "docker kill cap3": [["kill", "cap3"]],
  },
  fs: { "docker save -o WORK/.s.tar bb:latest capimg:2": [["commit", "-m", "msg", "cap1", "capimg:2"]] },
  images: {
    "docker rmi bb:latest": [["rmi", "captag:1"]],
    "docker images": [
      ["exec", "cap1", "sh", "-c", "echo a>/a"],
      ["commit", "cap1", "capimg:1"],
      ["commit", "-m", "msg", "cap1", "capimg:2"],
      ["export", "-o", "WORK/.x.tar", "cap1"],
      ["import", "-m", "hello", "-c", 'CMD ["sh"]', "WORK/.x.tar", "capimp:1"],
    ],
  },
  system: { "docker system df -v": [["commit", "-m", "msg", "cap1", "capimg:2"]] },
};

/** Commands before the second of two equal cases. */
const BEFORE_SECOND: Readonly<Record<string, readonly string[]>> = {
  "docker volume rm capvol": ["rm", "-f", "capuser"],
};
const BEFORE_FIRST: Readonly<Record<string, readonly string[]>> = {
  "docker volume rm capvol": ["create", "--name", "capuser", "-v", "capvol:/v", "bb:latest", "true"],
};

/** What these say of a registry needs the machine's resolver; everything else runs in a network namespace of its own. */
const ASKS_REGISTRY = /^docker (?:pull|push|search|login|run .*--platform) /;

interface Outcome {
  readonly key: string;
  readonly isEqual: boolean;
  readonly report: string;
}

/** A store with `bb:latest` (this machine's busybox) and `cap1`, as the recording had. */
function prepare(store: LapStore): void {
  const root = join(store.folder, "bb");
  copyFiles(join(root, "copy"), ["/bin/busybox"]);
  mkdirSync(join(root, "copy/etc"));
  writeFileSync(join(root, "copy/etc/passwd"), "root:x:0:0:root:/root:/bin/sh\n");
  for (const name of APPLETS) symlinkSync("busybox", join(root, "copy/bin", name));
  const { code: imported, stderr } = store.run(["import", "-", "bb:latest"], { input: tarFolder(join(root, "copy")) });
  if (imported !== 0) throw new Error(`lap import: ${stderr}`);
  store.ok(...CAP1, ...HEALTH, "bb:latest", "sh", "-c", LOOP);
}

/** What the recording had at its time: a container whose health is known, or has been looked at this often. */
const HEALTH_CHECKS: Readonly<Record<string, number>> = { ps: 1, system: 1, inspect: 5 };

async function awaitHealth(store: LapStore, file: string): Promise<void> {
  const wanted = HEALTH_CHECKS[file] ?? 0;
  const deadline = Date.now() + 12_000;
  const checks = (): number => Number(store.run(["inspect", "-f", "{{len .State.Health.Log}}", "cap1"]).stdout);
  while (wanted > 0 && !(checks() >= wanted) && Date.now() < deadline) await sleep(250);
}

/** The life that events.txt tells of; returns the moments around it. */
async function liveEvents(store: LapStore): Promise<readonly [since: string, until: string]> {
  store.ok("kill", "cap1");
  store.run(["wait", "cap1"]);
  await sleep(500); // the supervisor's own cleaning tells of the end
  const since = now();
  store.ok("rm", "cap1");
  store.ok("volume", "create", "evvol");
  store.ok("run", "-d", "--name", "ev1", "-v", "evvol:/v", "bb:latest", "sh", "-c", "sleep 2; exit 4");
  store.ok("exec", "ev1", "true");
  for (const verb of ["pause", "unpause", "wait"]) store.ok(verb, "ev1");
  store.ok("commit", "ev1", "evimg:1");
  store.ok("tag", "evimg:1", "evimg:2");
  store.ok("rmi", "evimg:1", "evimg:2");
  store.ok("start", "ev1");
  store.ok("kill", "-s", "TERM", "ev1");
  store.ok("stop", "-t", "1", "ev1");
  store.ok("rename", "ev1", "ev2");
  store.ok("rm", "ev2");
  store.ok("volume", "rm", "evvol");
  store.ok("network", "create", "evnet");
  store.ok("network", "rm", "evnet");
  return [since, now()];
}

function now(): string {
  return (Date.now() / 1000).toFixed(3);
}

interface Times {
  readonly since: string;
  readonly until: string;
}

function replay(store: LapStore, file: string, cases: readonly Capture[], times: Times): Outcome[] {
  const work = join(store.folder, "work");
  mkdirSync(work);
  const { since, until } = times;
  const here = (args: readonly string[]): string[] =>
    args.map((arg) => arg.replaceAll("WORK", work).replace("1795232003", since).replace("1795232007", until));
  const seen = new Map<string, number>();
  return cases.map((each) => {
    const nth = (seen.get(each.command) ?? 0) + 1;
    seen.set(each.command, nth);
    const between = nth === 1 ? (BETWEEN[file]?.[each.command] ?? []) : [];
    for (const args of between) store.run(here(args));
    const extra = (nth === 1 ? BEFORE_FIRST : BEFORE_SECOND)[each.command];
    if (extra !== undefined) store.run(extra);
    const key = `${file}: ${each.command}${nth > 1 ? ` (${nth})` : ""}`;
    return compareAgain(() => compare({ store, work }, key, each, here), MOVING.has(file) ? LOOKS : 1);
  });
}

/** What they show moves: cap1 is between two of its sleeps for a moment. */
const MOVING = new Set(["top", "stats"]);
const LOOKS = 8;

function compareAgain(look: () => Outcome, times: number): Outcome {
  const outcome = look();
  return outcome.isEqual || times <= 1 ? outcome : compareAgain(look, times - 1);
}

function compare(
  { store, work }: { readonly store: LapStore; readonly work: string },
  key: string,
  recorded: Capture,
  here: (args: readonly string[]) => string[],
): Outcome {
  const got = store.run(here(captureArgs(recorded.command)), {
    timeoutMs: 15_000,
    env: { DOCKER_CONFIG: work },
    outside: ASKS_REGISTRY.test(recorded.command),
  });
  const own = [[new RegExp(store.folder, "g"), "/STORE"]] as const;
  const isBinary = recorded.stdout.startsWith("(binary");
  const stdout = isBinary ? recorded.stdout : Buffer.from(got.stdout, "latin1").toString("utf8");
  const wanted = { ...recorded, ...NEWER[key] };
  const pairs = [
    [comparable(key, masked(asLap(wanted.stdout)), "recorded"), comparable(key, masked(stdout, own), "ours")],
    [masked(asLap(wanted.stderr)), masked(got.stderr, own)],
    [String(wanted.exitCode), String(got.code)],
  ] as const;
  const isEqual = pairs.every(([want, have]) => want.trimEnd() === have.trimEnd());
  const report = pairs
    .filter(([want, have]) => want.trimEnd() !== have.trimEnd())
    .map(([want, have]) => `  - ${want.trimEnd()}\n  + ${have.trimEnd()}`)
    .join("\n");
  return { key, isEqual, report };
}

/** Docker's cases of a file; `tar tf` of an archive is no command of ours. */
function recorded(file: string): Capture[] {
  return parseCaptures(readFileSync(file, "utf8")).filter(({ command }) => command.startsWith("docker "));
}

const rates: string[] = [];

needs("root", "overlayfs", "native", "env:LAP_DOCKER_CAPTURES").describe("recorded docker cases", () => {
  const folder = env["LAP_DOCKER_CAPTURES"] ?? "";

  afterAll(() => {
    process.stdout.write(`recorded docker cases, equal/total: ${rates.join(", ")}\n`);
  });

  it.each(FILES.filter((file) => existsSync(join(folder, `${file}.txt`))))("%s.txt", async (file) => {
    using host = await openSpace();
    raiseLoopback({ fd: host.fd });
    using store = new LapStore({ netns: `/proc/${host.pid}/ns/net` });
    prepare(store);
    await awaitHealth(store, file);
    const [since, until] = file === "events" ? await liveEvents(store) : ["", ""];
    const outcomes = replay(store, file, recorded(join(folder, `${file}.txt`)), { since, until });
    const different = outcomes.filter(({ isEqual }) => !isEqual);
    rates.push(`${file} ${outcomes.length - different.length}/${outcomes.length}`);
    if (env["LAP_CAPTURES_SHOW"] === "1") {
      for (const { key, report } of different) process.stdout.write(`${key}\n${report}\n`);
    }
    expect(different.map(({ key }) => key).filter((key) => KNOWN[key] === undefined)).toEqual([]);
  });
});
