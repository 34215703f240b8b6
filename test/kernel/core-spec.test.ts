// Fields of the specification that change what a process sees: each is set and read back from inside, or refused by name.
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { LinuxSpec, MountSpec, ProcessSpec, RuntimeSpec } from "@lapstrake/base";
import { startTime } from "@lapstrake/core";
import { hasFact } from "../support/facts.ts";
import { finish, missing, sh, TestContainer } from "./core-harness.ts";

type Change = (spec: RuntimeSpec) => RuntimeSpec;

function withLinux(part: LinuxSpec): Change {
  return (spec) => ({ ...spec, linux: { ...spec.linux, ...part } });
}

function withProcess(part: Partial<ProcessSpec>): Change {
  return (spec) => ({ ...spec, process: { ...spec.process!, ...part } });
}

function withMount(mount: MountSpec): Change {
  return (spec) => ({ ...spec, mounts: [...spec.mounts!, mount] });
}

async function outputOf(script: string, change: Change): Promise<string> {
  const { stdout, stderr } = await sh(script, change);
  expect(stderr).toBe("");
  return stdout;
}

describe.skipIf(missing !== undefined)(`core spec${missing === undefined ? "" : ` (skipped: ${missing})`}`, () => {
  test("tmpcopyup keeps the image's content, with owners, modes and links", async () => {
    const script = "cd /etc/alternatives; ls | wc -l; readlink $(ls | head -1); stat -f -c %T .; stat -c %a .";
    const mount = {
      destination: "/etc/alternatives",
      type: "tmpfs",
      source: "tmpfs",
      options: ["tmpcopyup", "nosuid"],
    };
    const [count, link, type, mode] = (await outputOf(script, withMount(mount))).split("\n");
    expect(Number(count)).toBeGreaterThan(3);
    expect(link).toMatch(/^\//);
    expect([type, mode]).toEqual(["tmpfs", "755"]);
  });

  test("sysctls of its namespaces", async () => {
    const sysctl = { "net.ipv4.ip_local_port_range": "2000\t3000", "kernel.shm_rmid_forced": "1" };
    const script = "cat /proc/sys/net/ipv4/ip_local_port_range /proc/sys/kernel/shm_rmid_forced";
    expect(await outputOf(script, withLinux({ sysctl }))).toBe("2000\t3000\n1\n");
  });

  test("a time namespace with offsets", async () => {
    const change: Change = (spec) =>
      withLinux({
        namespaces: [...spec.linux!.namespaces!, { type: "time" }],
        timeOffsets: { boottime: { secs: 864_000_000 } },
      })(spec);
    expect(Number((await outputOf("cat /proc/uptime", change)).split(" ")[0])).toBeGreaterThan(864_000_000);
  });

  test("scheduler, io priority, personality, oom score, umask", async () => {
    const process = withProcess({
      scheduler: { policy: "SCHED_BATCH", nice: 5 },
      ioPriority: { class: "IOPRIO_CLASS_IDLE" },
      oomScoreAdj: 321,
      user: { uid: 0, gid: 0, umask: 0o027 },
    });
    const change: Change = (spec) => process(withLinux({ personality: { domain: "LINUX32" } })(spec));
    const script = "cut -d' ' -f19,41 /proc/self/stat; ionice -p $$; uname -m; cat /proc/self/oom_score_adj; umask";
    expect(await outputOf(script, change)).toBe("5 3\nidle\ni686\n321\n0027\n");
  });

  test("read-only root, recursive read-only bind, propagation", async () => {
    using source = new TestContainer(["true"]);
    mkdirSync(`${source.dir}/shared`);
    writeFileSync(`${source.dir}/shared/f`, "text");
    const mount = withMount({
      destination: "/data",
      source: `${source.dir}/shared`,
      type: "bind",
      options: ["rbind", "rro", "rprivate"],
    });
    const change: Change = (spec) => ({ ...mount(spec), root: { path: "unused", readonly: true } });
    const script =
      "cat /data/f; echo; (echo x > /data/g) 2>&1 | grep -o 'Read-only'; (echo x > /g) 2>&1 | grep -o 'Read-only'; echo y > /dev/shm/z && echo ok";
    expect(await outputOf(script, change)).toBe("text\nRead-only\nRead-only\nok\n");
  });

  test("a memory policy, and CPUs that are not the caller's", async () => {
    const policy = withLinux({ memoryPolicy: { mode: "MPOL_BIND", nodes: "0", flags: ["MPOL_F_STATIC_NODES"] } });
    const script = "grep -c bind=static:0 /proc/self/numa_maps > /tmp/n && test $(cat /tmp/n) -gt 0 && echo bound";
    expect(await outputOf(script, policy)).toBe("bound\n");
    const own = readFileSync("/proc/self/status", "utf8");
    const pinned = spawnSync("taskset", ["-pc", "0", String(process.pid)], { timeout: 10_000 });
    try {
      const seen = await outputOf("grep Cpus_allowed_list /proc/self/status", (spec) => spec);
      expect(seen).toBe(`${/Cpus_allowed_list:.*/.exec(own)![0]}\n`);
    } finally {
      expect(pinned.status).toBe(0);
      spawnSync("taskset", ["-pc", /Cpus_allowed_list:\s*(.*)/.exec(own)![1]!, String(process.pid)], {
        timeout: 10_000,
      });
    }
  });

  test("an exec on the CPUs it asks for", async () => {
    using container = new TestContainer(["sleep", "100"]);
    const launched = await container.start();
    const since = startTime(launched.pid)!;
    const args = ["sh", "-c", "grep Cpus_allowed_list /proc/self/status"];
    const exec = await container.exec({ args, execCPUAffinity: { initial: "0", final: "1" } }, since);
    expect((await finish(exec)).stdout).toBe("Cpus_allowed_list:\t1\n");
    launched.attachment!.signal(9);
    await finish(launched);
  });

  test("the home that the container's passwd names, when the environment names none", async () => {
    const home = withProcess({ env: ["PATH=/bin:/usr/bin", "HOME="] });
    expect(await outputOf("echo $HOME", home)).toBe("/root\n");
    const nobody: Change = (spec) => withProcess({ user: { uid: 54_321, gid: 1 } })(home(spec));
    expect(await outputOf("echo $HOME", nobody)).toBe("/\n");
    expect(await outputOf("echo $HOME", withProcess({ env: ["PATH=/bin:/usr/bin", "HOME=/x"] }))).toBe("/x\n");
  });

  test("without a cgroup namespace the container's own cgroups, not the machine's", async () => {
    const change: Change = (spec) => {
      const namespaces = spec.linux!.namespaces!.filter(({ type }) => type !== "cgroup");
      return { ...spec, linux: { ...spec.linux, namespaces } };
    };
    const script =
      "for d in /sys/fs/cgroup/*/; do tr '\\n' ' ' < $d/cgroup.procs; done; ls -d /sys/fs/cgroup/*/lapstrake 2>&1 | wc -l";
    // Each hierarchy shows the shell and its helper, no directory of others. A machine of v2 alone has no hierarchies beneath.
    const seen = hasFact("cgroup-v1") ? /^(\d+ )+1\n$/ : /^1\n$/;
    expect(await outputOf(script, change)).toMatch(seen);
  });

  test("a tmpfs takes the mode of what it covers, a mount's dangling target is made inside", async () => {
    using source = new TestContainer(["true"]);
    mkdirSync(`${source.dir}/covered`);
    chmodSync(`${source.dir}/covered`, 0o712);
    mkdirSync(`${source.dir}/links`);
    symlinkSync("../made/here", `${source.dir}/links/dangling`);
    const bind = { type: "bind", options: ["bind"] };
    const change: Change = (spec) => ({
      ...spec,
      mounts: [
        ...spec.mounts!,
        { ...bind, destination: "/mnt/d", source: source.dir },
        { destination: "/mnt/d/covered", type: "tmpfs", source: "tmpfs", options: ["nosuid"] },
        { ...bind, destination: "/mnt/d/links/dangling", source: "/etc/hostname" },
      ],
    });
    expect(await outputOf("stat -c %a /mnt/d/covered; cmp /mnt/d/made/here /etc/hostname && echo same", change)).toBe(
      "712\nsame\n",
    );
  });

  test("no new privileges and no capabilities", async () => {
    const change = withProcess({ noNewPrivileges: true, capabilities: {} });
    const script = "grep -E '^(NoNewPrivs|Cap)' /proc/self/status";
    expect(await outputOf(script, change)).toMatch(/^(Cap\w+:\t0{16}\n){5}NoNewPrivs:\t1\n$/);
  });

  test("ambient capabilities reach a user", async () => {
    const caps = ["CAP_NET_BIND_SERVICE"];
    const change = withProcess({
      user: { uid: 1000, gid: 1000 },
      capabilities: { bounding: caps, effective: caps, permitted: caps, inheritable: caps, ambient: caps },
    });
    expect(await outputOf("grep -E 'Cap(Eff|Amb)' /proc/self/status", change)).toBe(
      "CapEff:\t0000000000000400\nCapAmb:\t0000000000000400\n",
    );
  });

  test.each<readonly [string, Change, string]>([
    ["intelRdt", withLinux({ intelRdt: {} }), "ERR_LAP_UNSUPPORTED"],
    [
      "idmap mount without maps",
      withMount({ destination: "/x", source: "/etc", options: ["bind", "idmap"] }),
      "ERR_LAP_SPEC_INVALID",
    ],
    [
      "idmap mount of a new filesystem",
      withMount({
        destination: "/x",
        type: "tmpfs",
        uidMappings: [{ containerID: 0, hostID: 1, size: 1 }],
        gidMappings: [{ containerID: 0, hostID: 1, size: 1 }],
      }),
      "ERR_LAP_SPEC_INVALID",
    ],
    ["a network device that is not there", withLinux({ netDevices: { laptest9: {} } }), "ERR_LAP_NET_DEVICE"],
    ["a sysctl of the machine", withLinux({ sysctl: { "kernel.core_pattern": "|/x" } }), "ERR_LAP_SPEC_INVALID"],
    ["a deadline without a runtime", withProcess({ scheduler: { policy: "SCHED_DEADLINE" } }), "ERR_LAP_SPEC_INVALID"],
    ["an unknown memory policy", withLinux({ memoryPolicy: { mode: "MPOL_X" } }), "ERR_LAP_SPEC_INVALID"],
    ["unknown scheduler", withProcess({ scheduler: { policy: "SCHED_MOON" } }), "ERR_LAP_SPEC_INVALID"],
    ["offsets without a namespace", withLinux({ timeOffsets: { monotonic: { secs: 1 } } }), "ERR_LAP_SPEC_INVALID"],
    [
      "maps without a namespace",
      withLinux({ uidMappings: [{ containerID: 0, hostID: 1, size: 1 }] }),
      "ERR_LAP_SPEC_INVALID",
    ],
  ])("%s is refused by name", async (_name, change, code) => {
    await expect(sh("true", change)).rejects.toMatchObject({ code });
  });
});
