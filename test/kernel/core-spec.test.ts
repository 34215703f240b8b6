// Fields of the specification that change what a process sees: each is set and read back from inside, or refused by name.
import { mkdirSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { LinuxSpec, MountSpec, ProcessSpec, RuntimeSpec } from "@lapstrake/base";
import { missing, sh, TestContainer } from "./core-harness.ts";

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
    ["exec affinity", withProcess({ execCPUAffinity: { initial: "0" } }), "ERR_LAP_UNSUPPORTED"],
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
