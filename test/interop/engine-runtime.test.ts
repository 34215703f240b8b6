// The same `lap run` under our own runtime and under runc: what the process sees of itself, its mounts, devices and limits, and how it
// ends. What differs on purpose is said where it is masked.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { needs } from "../support/facts.ts";
import { LapStore, nothingLeft } from "../support/lap.ts";
import { ended } from "../support/processes.ts";

const SCRIPT = `
for f in status limits mountinfo cgroup uid_map oom_score_adj personality; do echo "== $f"; cat /proc/self/$f; done
echo == devices; for f in /dev/*; do stat -c '%n %A %u:%g %t:%T' "$f"; done
echo == fds; ls /proc/self/fd
echo == env; env
echo == id; id
echo == cwd; pwd; umask
echo == names; cat /proc/sys/kernel/hostname /proc/sys/kernel/domainname
echo == shm; cat /proc/sys/kernel/msgmax /proc/sys/net/core/somaxconn
echo == links; ls /sys/class/net
echo == written; for f in /x /proc/sys/kernel/msgmax /sys/y /mnt/z /data/w; do echo 1 > $f; done
exit 7
`;

/** Options of a run and the image's program. */
const CASES: Readonly<Record<string, readonly string[]>> = {
  plain: [],
  "a user of the image": ["-u", "bob", "--group-add", "5", "-e", "A=two words", "-w", "/data/sub", "--read-only"],
  "no new privileges, all capabilities gone": ["--cap-drop", "ALL", "--security-opt", "no-new-privileges"],
  "some capabilities, a score": [
    "--cap-add",
    "NET_ADMIN",
    "--cap-drop",
    "CHOWN",
    "-u",
    "9:9",
    "--oom-score-adj",
    "500",
  ],
  "privileged, with an init": ["--privileged", "--init"],
  "limits and devices": [
    ...["-m", "64m", "--pids-limit", "50", "--cpus", "0.5", "--ulimit", "nofile=100:200", "--ulimit", "core=0"],
    ...["--device", "/dev/null:/dev/mine", "--device-cgroup-rule", "c 1:3 rwm"],
  ],
  "mounts, kernel parameters and names": [
    ...["-v", "FOLDER/shared:/mnt:ro", "--tmpfs", "/tmp:size=1m,noexec", "--shm-size", "1m"],
    ...[
      "--security-opt",
      "systempaths=unconfined",
      "--sysctl",
      "net.core.somaxconn=99",
      "-h",
      "box",
      "--domainname",
      "lap.test",
    ],
  ],
  "namespaces of the machine, no filter": [
    ...["--pid", "host", "--ipc", "host", "--network", "host"],
    ...["--security-opt", "seccomp=unconfined"],
  ],
};

interface Seen {
  readonly code: number | null;
  readonly stderr: string;
  readonly sections: Readonly<Record<string, readonly string[]>>;
}

needs("root", "overlayfs", "native", "command:runc").describe("lap run by our runtime and by runc", () => {
  let store: LapStore;
  beforeAll(() => {
    store = new LapStore();
    store.loadPrograms();
    mkdirSync(join(store.folder, "shared"));
  });
  afterAll(async () => {
    const { folder } = store;
    store[Symbol.dispose]();
    await nothingLeft(folder);
  });

  it.each(Object.keys(CASES))("shows the same to a process: %s", async (name) => {
    const flags = CASES[name]!.map((word) => word.replace("FOLDER", store.folder));
    const own = flags.includes("--network") || flags.includes("-h") ? [] : ["-h", "same"];
    const network = flags.includes("--network") ? [] : ["--network", "none"];
    const run = (runtime: string): Promise<Seen> =>
      seen(store, ["run", "--rm", "--runtime", runtime, ...own, ...network, ...flags, "progs:1", "sh", "-c", SCRIPT]);
    const [theirs, ours] = await Promise.all([run("runc"), run("lapstrake")]);
    expect(theirs.code).toBe(7);
    expect(Object.keys(theirs.sections)).toHaveLength(16);
    expect(ours).toEqual(theirs);
  });

  it("ends alike, and names what cannot run alike", async () => {
    writeFileSync(join(store.folder, "shared/text"), "x");
    const volume = ["-v", `${store.folder}/shared:/mnt`];
    const ends: readonly (readonly string[])[] = [
      ["sh", "-c", "exit 3"],
      ["sh", "-c", "sh -c 'kill -SEGV $$'; exit $?"],
      ["nowhere"],
      ["/nowhere"],
      ["/mnt/text"],
    ];
    const run = (runtime: string, args: readonly string[]): Promise<Seen> =>
      seen(store, ["run", "--rm", "--runtime", runtime, "--network", "none", ...volume, "progs:1", ...args]);
    const all = (runtime: string): Promise<Seen[]> => Promise.all(ends.map((args) => run(runtime, args)));
    const theirs = await all("runc");
    expect(theirs.map(({ code }) => code)).toEqual([3, 139, 127, 127, 126]);
    expect(await all("lap-runtime")).toEqual(theirs);
  });
});

async function seen(store: LapStore, args: readonly string[]): Promise<Seen> {
  const child = store.spawn(args);
  const output = ["", ""];
  child.stdout!.on("data", (chunk: Buffer) => (output[0] += chunk.toString("latin1")));
  child.stderr!.on("data", (chunk: Buffer) => (output[1] += chunk.toString("latin1")));
  child.stdin!.end();
  const code = await ended(child);
  const parts = output[0]!.split(/^== (\w+)\n/m);
  const sections: Record<string, readonly string[]> = {};
  for (let i = 1; i + 1 < parts.length; i += 2) sections[parts[i]!] = masked(parts[i]!, parts[i + 1]!);
  return { code, stderr: output[1]!, sections };
}

/** Lines of status that tell of memory, time and luck. */
const VOLATILE = /^(Pid|Tgid|Ngid|NS\w+|Vm\w+|Rss\w+|SigQ|\w*ctxt_switches|x86_\w+|Hugetlb\w+|PPid|FDSize):/;

function masked(section: string, text: string): readonly string[] {
  const lines = text.trimEnd().split("\n");
  if (section === "status") return lines.filter((line) => !VOLATILE.test(line));
  if (section === "mountinfo")
    return lines
      .map(mountLine)
      .filter((line) => !isAboveCgroups(line))
      .toSorted();
  // Its owner is whoever made the ipc namespace: ours has no group of its own yet then.
  if (section === "devices") return lines.filter((line) => !line.startsWith("/dev/mqueue"));
  if (section === "env") return lines.toSorted();
  return lines;
}

// On a machine of v1, runc leaves the folder of the hierarchies writable, and the unified one out.
function isAboveCgroups(line: string): boolean {
  return /^\/sys\/fs\/cgroup(?:\/unified)? .*(?:tmpfs|cgroup2)$/.test(line);
}

// Mount point, flags, propagation, type: sources and options of the filesystem name the same things in other words (the new mount API
// keeps no device name), and the order of mounts is not promised.
function mountLine(line: string): string {
  const [left = "", right = ""] = line.split(" - ");
  const [, , , , target = "", flags = "", ...propagation] = left.split(" ");
  // Ours closes what hides a directory a little more.
  const isMask = right.startsWith("tmpfs") && flags.split(",").includes("ro") && !target.startsWith("/mnt");
  const kept = flags.split(",").filter((flag) => !isMask || (flag !== "nosuid" && flag !== "nodev"));
  const kinds = propagation.map((word) => word.replace(/:.*/, "")).join(",");
  return `${target} ${kept.toSorted().join(",")} ${kinds} ${right.split(" ")[0]}`;
}
