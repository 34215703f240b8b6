// The same bundles under runc and lap-runtime: what the process sees of itself, its devices, its mounts, its end, and what
// `state` says. Where the two differ on purpose, normalise() says so in one line each.
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ProcessSpec, RuntimeSpec } from "@lapstrake/base";
import { defaultSpec } from "@lapstrake/core";
import { afterAll, expect, test } from "vitest";
import { nativePart, needs } from "../support/facts.ts";
import { copyFiles, programFiles } from "../support/programs.ts";

const PROGRAMS = ["sh", "cat", "ls", "stat", "sleep", "env", "sort", "readlink", "id", "tty"].map((name) =>
  name === "env" || name === "stat" || name === "sort" || name === "id" || name === "tty"
    ? `/usr/bin/${name}`
    : `/bin/${name}`,
);
const RUNTIMES = { runc: "runc", lap: nativePart("lap-runtime") } as const;
type Name = keyof typeof RUNTIMES;

// Each section is compared by its own rule.
const SCRIPT = `
echo == status; cat /proc/self/status
echo == limits; cat /proc/self/limits
echo == cgroup; cat /proc/self/cgroup
echo == mounts; cat /proc/self/mountinfo
echo == fds; ls /proc/self/fd
echo == env; env | sort
echo == umask; umask
echo == id; id
echo == cwd; readlink /proc/self/cwd
echo == oom; cat /proc/self/oom_score_adj
echo == personality; cat /proc/self/personality
echo == names; cat /proc/sys/kernel/hostname /proc/sys/kernel/domainname
echo == somaxconn; cat /proc/sys/net/core/somaxconn /proc/sys/kernel/msgmax
echo == devices; for f in /dev/* /dev/.[a-z]*; do stat -c '%n %A %u:%g %t:%T' "$f"; readlink "$f"; done
echo == masked; ls -A /proc/acpi /sys/firmware /proc/scsi; stat -c '%F %t:%T' /proc/kcore /proc/keys
echo == written; for f in /proc/sys/kernel/msgmax /x /sys/y; do echo 1 > $f; done
echo == ids; cat /proc/self/uid_map /proc/self/gid_map /proc/self/setgroups
echo == session; cat /proc/self/stat | { read -r pid name state ppid group session tty rest; echo $ppid $group $session $tty; }
`;

const dir = mkdtempSync(join(tmpdir(), "lap-differential-"));
const bundle = join(dir, "bundle");
let counter = 0;
afterAll(() => rmSync(dir, { recursive: true, force: true }));

function makeBundle(): void {
  const root = join(bundle, "rootfs");
  copyFiles(root, programFiles(PROGRAMS));
  for (const name of ["proc", "sys", "dev", "tmp", "etc", "mnt", "work"])
    mkdirSync(join(root, name), { recursive: true });
  writeFileSync(join(root, "etc/passwd"), "root:x:0:0:root:/root:/bin/sh\nme:x:1000:1000:me:/home/me:/bin/sh\n");
  writeFileSync(join(root, "notexec"), "x");
  mkdirSync(join(dir, "shared"));
}

function baseSpec(args: readonly string[] = ["/bin/sh", "-c", SCRIPT]): RuntimeSpec {
  const spec = defaultSpec();
  return {
    ...spec,
    ociVersion: "1.0.2",
    hostname: "box",
    process: { ...spec.process!, args, rlimits: [{ type: "RLIMIT_NOFILE", soft: 512, hard: 1024 }] },
    mounts: (spec.mounts ?? []).filter(({ type }) => type !== "cgroup"),
    // runc 1.1 cannot take the last of the default rules back on v1.
    linux: {
      ...spec.linux!,
      resources: { devices: [{ allow: false, access: "rwm" }] },
      cgroupsPath: `/lap-differential-${process.pid}`,
    },
  };
}

interface Seen {
  readonly code: number | null;
  readonly sections: ReadonlyMap<string, string>;
  readonly stdout: string;
}

function sectionsOf(text: string): Map<string, string> {
  const parts = text.split(/^== (\w+)\r?\n/m);
  const found = new Map<string, string>();
  for (let i = 1; i + 1 < parts.length; i += 2) found.set(parts[i]!, parts[i + 1]!);
  return found;
}

interface Called {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function call(name: Name, args: readonly string[]): Called {
  const all = ["--root", join(dir, name), ...args];
  // A created container keeps the streams of `create`.
  const stdio = args[0] === "create" ? "ignore" : "pipe";
  return spawnSync(RUNTIMES[name], all, { cwd: bundle, encoding: "utf8", timeout: 30_000, stdio });
}

function runUnder(name: Name, spec: RuntimeSpec): Seen {
  writeFileSync(join(bundle, "config.json"), JSON.stringify(spec));
  const { status, stdout, stderr } = call(name, ["run", `c${counter++}`]);
  return {
    code: status,
    sections: sectionsOf(stdout),
    stdout: status === 0 ? "" : stdout + stderr,
  };
}

// Lines of status that tell of memory, time and luck; and those of a field newer than the other's idea of it.
const VOLATILE =
  /^(Pid|Tgid|Ngid|NSpid|NStgid|NSpgid|NSsid|Vm\w+|Rss\w+|SigQ|\w*ctxt_switches|x86_\w+|Hugetlb\w+|PPid|FDSize):/;

function normaliseStatus(text: string): string[] {
  return text.split("\n").filter((line) => line !== "" && !VOLATILE.test(line));
}

// Mount point, flags, propagation, type. Sources and super-block options name the same things in other words (the new mount API
// keeps no device name for a bind, tmpfs masks have sizes); the order of mounts is not promised.
function normaliseMounts(text: string): string[] {
  return text
    .trim()
    .split("\n")
    .map((line) => {
      const [left = "", right = ""] = line.split(" - ");
      const [, , , , target = "", flags = "", ...propagation] = left.split(" ");
      // Ours closes what hides a directory a little more.
      const isMask = right.startsWith("tmpfs") && flags.split(",").includes("ro") && !target.startsWith("/mnt");
      const kept = flags.split(",").filter((flag) => !isMask || (flag !== "nosuid" && flag !== "nodev"));
      const kinds = propagation.map((word) => word.replace(/:.*/, "")).join(",");
      return `${target} ${kept.toSorted().join(",")} ${kinds} ${right.split(" ")[0]}`;
    })
    .toSorted();
}

function normalise(seen: Seen): Record<string, unknown> {
  const result: Record<string, unknown> = { code: seen.code, stdout: seen.stdout };
  for (const [name, text] of seen.sections) {
    if (name === "status") result[name] = normaliseStatus(text);
    // Its owner is whoever made the ipc namespace: ours has no group of its own yet then.
    else if (name === "devices") result[name] = text.split(/\r?\n/).filter((line) => !line.startsWith("/dev/mqueue"));
    else if (name === "mounts") result[name] = normaliseMounts(text);
    else result[name] = text.split(/\r?\n/);
  }
  return result;
}

function withProcess(change: Partial<ProcessSpec>): RuntimeSpec {
  const spec = baseSpec();
  return { ...spec, process: { ...spec.process!, ...change } };
}

function withLinux(change: Partial<NonNullable<RuntimeSpec["linux"]>>): RuntimeSpec {
  const spec = baseSpec();
  return { ...spec, linux: { ...spec.linux, ...change } };
}

const MAPS = [{ containerID: 0, hostID: 100_000, size: 65_536 }];

const BUNDLES: Readonly<Record<string, () => RuntimeSpec>> = {
  plain: () => baseSpec(),
  "read-only root": () => ({ ...baseSpec(), root: { path: "rootfs", readonly: true } }),
  "no new privileges": () => withProcess({ noNewPrivileges: true }),
  "user and groups": () => withProcess({ user: { uid: 1000, gid: 1000, additionalGids: [5, 44, 1000] } }),
  umask: () => withProcess({ user: { uid: 0, gid: 0, umask: 0o077 } }),
  "limits and oom score": () =>
    withProcess({
      rlimits: [
        { type: "RLIMIT_NOFILE", soft: 100, hard: 200 },
        { type: "RLIMIT_CORE", soft: 0, hard: 0 },
        { type: "RLIMIT_STACK", soft: 4_194_304, hard: 8_388_608 },
      ],
      oomScoreAdj: 500,
    }),
  capabilities: () =>
    withProcess({
      user: { uid: 1000, gid: 1000 },
      capabilities: {
        bounding: ["CAP_CHOWN", "CAP_NET_BIND_SERVICE", "CAP_KILL"],
        permitted: ["CAP_NET_BIND_SERVICE"],
        effective: ["CAP_NET_BIND_SERVICE"],
        inheritable: ["CAP_NET_BIND_SERVICE"],
        ambient: ["CAP_NET_BIND_SERVICE"],
      },
    }),
  "working directory and environment": () =>
    withProcess({ cwd: "/made/here", env: ["A=1", "B=two words", "PATH=/bin:/usr/bin"] }),
  "mounts and propagation": () => ({
    ...baseSpec(),
    mounts: [
      ...baseSpec().mounts!,
      {
        destination: "/mnt/ro",
        source: join(dir, "shared"),
        type: "bind",
        options: ["rbind", "ro", "nosuid", "nodev"],
      },
      { destination: "/mnt/slave", source: join(dir, "shared"), type: "bind", options: ["bind", "rslave"] },
      { destination: "/mnt/tmp", source: "tmpfs", type: "tmpfs", options: ["size=1m", "noexec", "mode=1777"] },
    ],
    linux: { ...baseSpec().linux, rootfsPropagation: "rslave" },
  }),
  sysctl: () => withLinux({ sysctl: { "net.core.somaxconn": "99", "kernel.msgmax": "4096" } }),
  "masked and read-only paths": () =>
    withLinux({ maskedPaths: ["/work", "/notexec", "/proc/kcore"], readonlyPaths: ["/mnt", "/proc/sys"] }),
  "devices of its own": () =>
    withLinux({
      devices: [{ path: "/dev/mine", type: "c", major: 1, minor: 3, fileMode: 0o640, uid: 7, gid: 8 }],
    }),
  "user namespace": () => ({
    ...baseSpec(),
    linux: {
      ...baseSpec().linux,
      namespaces: [...baseSpec().linux!.namespaces!, { type: "user" }],
      uidMappings: MAPS,
      gidMappings: MAPS,
    },
  }),
  "namespaces of the host": () =>
    withLinux({ namespaces: [{ type: "mount" }, { type: "pid" }, { type: "uts" }, { type: "cgroup" }] }),
  "namespaces joined by path": () =>
    withLinux({
      namespaces: [
        { type: "mount" },
        { type: "pid" },
        { type: "uts" },
        { type: "cgroup" },
        { type: "network", path: "/proc/self/ns/net" },
        { type: "ipc", path: `/proc/${process.pid}/ns/ipc` },
      ],
    }),
  "hooks with a state": () => ({
    ...baseSpec(),
    hooks: {
      createRuntime: [{ path: "/bin/sh", args: ["sh", "-c", "cat > /dev/null; test -d rootfs"] }],
      createContainer: [{ path: "/bin/sh", args: ["sh", "-c", "cat > /dev/null"] }],
    },
  }),
};

/** Bundles whose program ends in its own way, or never starts. */
const ENDS: Readonly<Record<string, readonly [args: readonly string[], code: number]>> = {
  "exit code 0": [["/bin/sh", "-c", "exit 0"], 0],
  "exit code 7": [["/bin/sh", "-c", "exit 7"], 7],
  "a signal": [["/bin/sh", "-c", "sh -c 'kill -SEGV $$'"], 139],
  "a program that is not there": [["/nowhere"], 1],
  "a name that is not in PATH": [["nowhere"], 1],
  "a file that may not be executed": [["/notexec"], 1],
};

needs("root", "native", "command:runc").describe("runc and lap-runtime", () => {
  makeBundle();
  chmodSync(dir, 0o755);

  test.each(Object.keys(BUNDLES))("show the same to a process: %s", (name) => {
    const spec = BUNDLES[name]!();
    const theirs = runUnder("runc", spec);
    const ours = runUnder("lap", spec);
    expect([theirs.code, theirs.stdout]).toEqual([0, ""]);
    expect(theirs.sections.size).toBeGreaterThan(15);
    expect(normalise(ours)).toEqual(normalise(theirs));
  });

  test.each(Object.keys(ENDS))("end alike: %s", (name) => {
    const [args, code] = ENDS[name]!;
    const spec = baseSpec(args);
    expect([runUnder("runc", spec).code, runUnder("lap", spec).code]).toEqual([code, code]);
  });

  test("say the same words of a program that cannot start, by which engines tell 126 from 127", () => {
    for (const args of [["/nowhere"], ["nowhere"], ["/notexec"]]) {
      const spec = baseSpec(args);
      const reason = ({ stdout }: Seen): string | undefined => /exec: .*?(?=\n|"? *$)/m.exec(stdout)?.[0];
      const wordsOf = (text: string | undefined): string => (text ?? "").replaceAll("\\", "").replace(/"$/, "");
      expect(wordsOf(reason(runUnder("lap", spec)))).toBe(wordsOf(reason(runUnder("runc", spec))));
    }
  });

  test("keep the same state through a life", () => {
    const lives = (["runc", "lap"] as const).map((name) => {
      writeFileSync(
        join(bundle, "config.json"),
        JSON.stringify({ ...baseSpec(["/bin/sleep", "60"]), annotations: { a: "b" } }),
      );
      const id = `life-${name}`;
      const states: unknown[] = [];
      const note = (): void => {
        const { status, stdout } = call(name, ["state", id]);
        const { pid, created, ociVersion: _, ...rest } = JSON.parse(stdout) as Record<string, unknown>;
        states.push([
          status,
          { ...rest, id: "", rootfs: "", owner: "", pid: Number(pid ?? 0) > 0, created: typeof created },
        ]);
      };
      for (const args of [
        ["create", id],
        ["start", id],
        ["pause", id],
        ["resume", id],
        ["kill", id, "KILL"],
      ]) {
        expect([args, call(name, args).status]).toEqual([args, 0]);
        if (args[0] === "kill") spawnSync("sleep", ["0.3"]);
        note();
      }
      states.push(
        call(name, ["start", id]).status,
        call(name, ["delete", id]).status,
        call(name, ["state", id]).status,
      );
      return states;
    });
    expect(lives[1]).toEqual(lives[0]);
  });

  test("give a terminal of the same kind", () => {
    const spec: RuntimeSpec = {
      ...withProcess({ terminal: true, args: ["/bin/sh", "-c", "tty; stat -c '%A %u:%g' /dev/console"] }),
    };
    const seen = (["runc", "lap"] as const).map((name) => {
      writeFileSync(join(bundle, "config.json"), JSON.stringify(spec));
      const line = `${RUNTIMES[name]} --root ${join(dir, name)} run t${counter++}`;
      const { stdout } = spawnSync("script", ["-qec", line, "/dev/null"], {
        cwd: bundle,
        encoding: "utf8",
        timeout: 30_000,
      });
      // script(1) types an end of file when its own input ends, and the terminal echoes it somewhere.
      return stdout.replaceAll("^@", "").replaceAll("^D", "").replaceAll("\b", "");
    });
    expect(seen[1]).toBe(seen[0]);
    expect(seen[1]).toContain("/dev/pts/0");
  });
});
