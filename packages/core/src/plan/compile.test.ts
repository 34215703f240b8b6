// Golden plans: a change of isolation is a diff of a text file. Update them with vitest --update after reading the diff.
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { RuntimeSpec } from "@lapstrake/base";
import type { HostFacts } from "../facts/types.ts";
import type { LaunchOptions, Rootfs } from "../launch/types.ts";
import { CAPABILITIES } from "../spec/capabilities.ts";
import { defaultSpec } from "../spec/defaults.ts";
import { HYBRID_HOST, V2_HOST } from "../testing/facts.ts";
import { compile } from "./compile.ts";
import { encodePlan } from "./encode.ts";
import { compileExec } from "./exec.ts";
import { formatPlan } from "./format.ts";

const OPTIONS: LaunchOptions = {
  containerDir: "/var/lib/lapstrake/containers/one",
  id: "one",
  stdio: "pipes",
  openStdin: false,
  stdinOnce: false,
  log: { path: "/var/lib/lapstrake/containers/one/log.json", maxBytes: 0, maxFiles: 1 },
  reapArgv: ["/usr/bin/lap", "_reap", "one"],
  foreground: true,
  initialClient: true,
};

const OVERLAY: Rootfs = { kind: "overlay", lowerdirs: ["/l/2", "/l/1"], upperdir: "/c/upper", workdir: "/c/work" };

interface Case {
  readonly name: string;
  readonly facts: HostFacts;
  readonly rootfs?: Rootfs;
  readonly options?: Partial<LaunchOptions>;
  readonly change?: (spec: RuntimeSpec) => RuntimeSpec;
}

const privileged = { bounding: CAPABILITIES, effective: CAPABILITIES, permitted: CAPABILITIES };

const CASES: readonly Case[] = [
  { name: "default-v2", facts: V2_HOST },
  { name: "default-hybrid", facts: HYBRID_HOST },
  { name: "terminal", facts: V2_HOST, options: { stdio: "pty", openStdin: true, ttySize: { rows: 24, cols: 80 } } },
  {
    name: "directory",
    facts: V2_HOST,
    rootfs: { kind: "dir", path: "/srv/root" },
    change: (spec) => ({ ...spec, root: { path: "x", readonly: true } }),
  },
  { name: "volatile", facts: V2_HOST, rootfs: { ...OVERLAY, volatile: true } },
  {
    name: "user",
    facts: V2_HOST,
    change: (spec) => ({
      ...spec,
      process: {
        ...spec.process!,
        user: { uid: 1000, gid: 1000, additionalGids: [10, 20], umask: 0o077 },
        noNewPrivileges: true,
      },
    }),
  },
  {
    name: "privileged-hybrid",
    facts: HYBRID_HOST,
    change: (spec) => ({ ...spec, process: { ...spec.process!, capabilities: privileged } }),
  },
  {
    name: "limits-v2",
    facts: V2_HOST,
    change: (spec) => ({
      ...spec,
      linux: {
        ...spec.linux,
        resources: {
          ...spec.linux!.resources,
          memory: { limit: 1 << 28, swap: 1 << 29, reservation: 1 << 27 },
          cpu: { quota: 20_000, period: 100_000, shares: 1024, cpus: "0" },
          pids: { limit: 100 },
        },
      },
    }),
  },
  {
    name: "limits-hybrid",
    facts: HYBRID_HOST,
    change: (spec) => ({
      ...spec,
      linux: {
        ...spec.linux,
        resources: {
          ...spec.linux!.resources,
          memory: { limit: 1 << 28, swap: 1 << 29 },
          cpu: { quota: 20_000, period: 100_000 },
          pids: { limit: -1 },
        },
      },
    }),
  },
  {
    name: "mounts",
    facts: V2_HOST,
    change: (spec) => ({
      ...spec,
      mounts: [
        ...spec.mounts!,
        { destination: "/data", source: "/srv/data", type: "bind", options: ["rbind", "ro", "rslave"] },
        { destination: "/all-ro", source: "/srv/all", options: ["rbind", "rro"] },
        { destination: "/scratch", type: "tmpfs", source: "tmpfs", options: ["size=1m", "noexec", "noatime"] },
      ],
    }),
  },
  {
    name: "joined-namespaces",
    facts: V2_HOST,
    change: (spec) => ({
      ...spec,
      linux: {
        ...spec.linux,
        namespaces: [
          { type: "mount" },
          { type: "network", path: "/run/netns/x" },
          { type: "pid", path: "/proc/7/ns/pid" },
          { type: "ipc", path: "/proc/7/ns/ipc" },
        ],
      },
    }),
  },
  {
    name: "names-and-sysctl",
    facts: V2_HOST,
    change: (spec) => ({
      ...spec,
      hostname: "box",
      domainname: "lan",
      linux: { ...spec.linux, sysctl: { "net.ipv4.ip_forward": "1" } },
    }),
  },
];

function planOf({ facts, rootfs, options, change }: Case): ReturnType<typeof compile> {
  const spec = (change ?? ((same) => same))(defaultSpec());
  return compile({ spec, rootfs: rootfs ?? OVERLAY }, facts, { ...OPTIONS, ...options });
}

describe("compile", () => {
  test.each(CASES)("golden plan $name", async (one) => {
    const plan = planOf(one);
    await expect(formatPlan(plan)).toMatchFileSnapshot(join(import.meta.dirname, "golden", `${one.name}.txt`));
    const bytes = encodePlan(plan);
    expect(new DataView(bytes.buffer, bytes.byteOffset).getUint32(8, true)).toBe(bytes.length);
  });

  test("golden plan of an exec", async () => {
    const spec = defaultSpec();
    const target = { id: "one", spec, pid: 77, pidStartTime: 12_345 };
    const plan = compileExec(target, { ...spec.process!, args: ["id"] }, HYBRID_HOST, OPTIONS);
    await expect(formatPlan(plan)).toMatchFileSnapshot(join(import.meta.dirname, "golden", "exec-hybrid.txt"));
  });

  test.each([
    [
      "process",
      (spec: RuntimeSpec): RuntimeSpec => ({ ...spec, process: undefined }) as unknown as RuntimeSpec,
      /^process: is missing/,
    ],
    ["args", (spec: RuntimeSpec) => ({ ...spec, process: { ...spec.process!, args: [] } }), /^process\.args/],
    [
      "cwd",
      (spec: RuntimeSpec) => ({ ...spec, process: { ...spec.process!, cwd: "tmp" } }),
      /^process\.cwd: "tmp" is not absolute/,
    ],
    [
      "mounts",
      (spec: RuntimeSpec) => ({ ...spec, mounts: [{ destination: "data" }] }),
      /^mounts\[0\]: "\/data" has neither/,
    ],
    [
      "namespaces",
      (spec: RuntimeSpec) => ({ ...spec, linux: { namespaces: [{ type: "pid" as const }] } }),
      /^linux\.namespaces: a mount namespace/,
    ],
    [
      "cgroupsPath",
      (spec: RuntimeSpec) => ({ ...spec, linux: { ...spec.linux, cgroupsPath: "/../x" } }),
      /^linux\.cgroupsPath/,
    ],
    [
      "rlimits",
      (spec: RuntimeSpec) => ({
        ...spec,
        process: { ...spec.process!, rlimits: [{ type: "RLIMIT_X", soft: 1, hard: 1 }] },
      }),
      /^process\.rlimits\[0\]/,
    ],
  ])("refuses a bad %s by the field's name", (_name, change, message) => {
    expect(() => compile({ spec: change(defaultSpec()), rootfs: OVERLAY }, V2_HOST, OPTIONS)).toThrow(message);
  });

  test("refuses a limit without a controller, and a text with NUL", () => {
    const rdma = { resources: { rdma: { mlx: { hcaHandles: 1 } } }, namespaces: [{ type: "mount" as const }] };
    expect(() => compile({ spec: { ...defaultSpec(), linux: rdma }, rootfs: OVERLAY }, HYBRID_HOST, OPTIONS)).toThrow(
      /"rdma" cgroup controller/,
    );
    const spec = { ...defaultSpec(), hostname: "a\0b" };
    expect(() => encodePlan(compile({ spec, rootfs: OVERLAY }, V2_HOST, OPTIONS))).toThrow(RangeError);
  });
});
