// A config.json with anything anywhere becomes a plan or one LapError that says where; never another exception, never a hang.
// LAP_FUZZ_SECONDS makes it run longer than the moment it takes among the unit tests.
import { expect, test } from "vitest";
import { isLapError, type RuntimeSpec } from "@lapstrake/base";
import { defaultSeccompProfile } from "../seccomp/profile/default.ts";
import { DEFAULT_CAPABILITIES } from "../spec/capabilities.ts";
import { defaultSpec } from "../spec/defaults.ts";
import { validateSpec } from "../spec/validate.ts";
import { HYBRID_HOST, V2_HOST } from "../testing/facts.ts";
import { compile } from "./compile.ts";
import { encodePlan } from "./encode.ts";

const LEAST_MS = 300;
const ROUNDS = 400;

function generator(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

/** Every field that core reads, once. */
function fullSpec(): RuntimeSpec {
  const base = defaultSpec();
  const id = [{ containerID: 0, hostID: 1000, size: 10 }];
  const hook = [{ path: "/bin/true", args: ["true"], env: ["A=b"], timeout: 3 }];
  return {
    ...base,
    hostname: "h",
    domainname: "d",
    root: { path: "rootfs", readonly: true },
    hooks: { prestart: hook, createRuntime: hook, createContainer: hook, startContainer: hook, poststart: hook },
    annotations: { a: "b" },
    mounts: [
      ...base.mounts!,
      {
        destination: "/m",
        type: "bind",
        source: "/s",
        options: ["rbind", "rro", "idmap"],
        uidMappings: id,
        gidMappings: id,
      },
      { destination: "/t", type: "tmpfs", source: "tmpfs", options: ["tmpcopyup", "size=1m"] },
    ],
    process: {
      ...base.process!,
      terminal: true,
      consoleSize: { height: 1, width: 2 },
      user: { uid: 1, gid: 2, umask: 0o22, additionalGids: [3] },
      rlimits: [{ type: "RLIMIT_CORE", soft: 1, hard: 2 }],
      noNewPrivileges: true,
      ioPriority: { class: "IOPRIO_CLASS_BE", priority: 1 },
      scheduler: {
        policy: "SCHED_DEADLINE",
        runtime: 5000,
        deadline: 6000,
        period: 7000,
        flags: ["SCHED_FLAG_RECLAIM"],
      },
      execCPUAffinity: { initial: "0", final: "1" },
      selinuxLabel: "x",
    },
    linux: {
      ...base.linux!,
      namespaces: [...base.linux!.namespaces!, { type: "user" }, { type: "time" }],
      uidMappings: id,
      gidMappings: id,
      timeOffsets: { monotonic: { secs: 1, nanosecs: 2 } },
      devices: [{ type: "c", path: "/dev/x", major: 1, minor: 2, fileMode: 0o600, uid: 1, gid: 2 }],
      cgroupsPath: "/a/b",
      sysctl: { "net.core.somaxconn": "5" },
      seccomp: defaultSeccompProfile(DEFAULT_CAPABILITIES, V2_HOST),
      rootfsPropagation: "rslave",
      personality: { domain: "LINUX32" },
      memoryPolicy: { mode: "MPOL_BIND", nodes: "0", flags: [] },
      resources: {
        ...base.linux!.resources,
        memory: { limit: 1, reservation: 2, swap: 3 },
        cpu: { shares: 5, quota: 6, period: 7, cpus: "0", mems: "0", burst: 1, idle: 0 },
        pids: { limit: 8 },
        blockIO: { weight: 10, throttleReadBpsDevice: [{ major: 1, minor: 2, rate: 3 }] },
        unified: { "memory.high": "max" },
      },
    },
  };
}

const HOSTILE: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  1.5,
  2 ** 31,
  2 ** 32,
  2 ** 53,
  2 ** 64,
  1e308,
  "",
  "/",
  "..",
  "a\0b",
  "a\nb",
  "\ud800",
  "-",
  "1-",
  "x".repeat(70_000),
  "__proto__",
  "constructor",
  [],
  [[]],
  [null],
  {},
  { toString: 1 },
  Array.from({ length: 5000 }, () => "x"),
  { ["__proto__x"]: { a: [] } },
];

type Place = { readonly holder: Record<string, unknown>; readonly key: string };

function placesOf(value: unknown, found: Place[] = []): Place[] {
  if (typeof value !== "object" || value === null) return found;
  const holder = value as Record<string, unknown>;
  for (const key of Object.keys(holder)) {
    found.push({ holder, key });
    placesOf(holder[key], found);
  }
  return found;
}

function mutate(text: string, random: (below: number) => number): unknown {
  const spec: unknown = JSON.parse(text);
  for (let edits = 1 + random(3); edits > 0; edits--) {
    const places = placesOf(spec);
    // The profile has thousands of places: it would drown the rest.
    const few = random(4) > 0 ? places.filter(({ holder }) => !("names" in holder) && !Array.isArray(holder)) : places;
    const from = few.length > 0 ? few : places;
    const { holder, key } = from[random(from.length)]!;
    const kind = random(4);
    if (kind === 0) delete holder[key];
    else if (kind === 1) {
      const other = places[random(places.length)]!;
      // A copy: a cycle is nothing that JSON can hold.
      holder[key] = structuredClone(other.holder[other.key]);
    } else holder[key] = structuredClone(HOSTILE[random(HOSTILE.length)]);
  }
  return spec;
}

function outcome(spec: unknown, round: number): string {
  try {
    const facts = round % 2 === 0 ? V2_HOST : HYBRID_HOST;
    const options = {
      containerDir: "/c",
      id: "x",
      openStdin: false,
      stdinOnce: false,
      log: null,
      reapArgv: [],
    } as const;
    const rest = { foreground: false, initialClient: false, stdio: "pipes" } as const;
    const plan = compile({ spec: validateSpec(spec), rootfs: { kind: "dir", path: "/r" } }, facts, {
      ...options,
      ...rest,
    });
    encodePlan(plan);
    return "plan";
  } catch (error) {
    if (isLapError(error)) return "refused";
    throw new Error(`${JSON.stringify(spec).slice(0, 3000)}\n${String((error as Error).stack).slice(0, 2000)}`, {
      cause: error,
    });
  }
}

test("anything anywhere is a plan or one clear refusal", () => {
  const seconds = Number(process.env["LAP_FUZZ_SECONDS"] ?? "0");
  const seed = seconds > 0 ? Date.now() & 0x7fff_ffff : 20_261_121;
  const random = generator(seed || 1);
  const text = JSON.stringify(fullSpec());
  expect(outcome(JSON.parse(text), 0)).toBe("plan");
  const seen: Record<string, number> = { plan: 0, refused: 0 };
  const until = performance.now() + Math.max(LEAST_MS, seconds * 1000);
  for (let round = 0; round < ROUNDS || performance.now() < until; round++) {
    seen[outcome(mutate(text, random), round)]!++;
  }
  expect(seen["plan"]).toBeGreaterThan(10);
  expect(seen["refused"]).toBeGreaterThan(10);
}, 3_600_000);
