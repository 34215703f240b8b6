// Logs that somebody works on after the supervisor wrote them: compressed files, the journal; and those that never hold a program up.
// The journal is the real one, beside the machine's, in a mount namespace of its own.
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { nativePart, needs, titleUnless } from "../support/facts.ts";
import { LapStore, type LapResult } from "../support/lap.ts";
import { commandLine, processes } from "../support/processes.ts";
import { until } from "../support/until.ts";

const JOURNALD = "/lib/systemd/systemd-journald";
const LINES = 4000;
/** Each is a datagram. */
const FEW = 300;
const PADDING = "-".repeat(40);
const COUNT = `i=0; while [ $i -lt ${LINES} ]; do echo ${PADDING}$i; i=$((i+1)); done`;
const EXPECTED = Array.from({ length: LINES }, (_, i) => `${PADDING}${i}`);

/** Kills the keeper once it has the guardian that starts another. */
async function killKeeper({ root }: LapStore): Promise<void> {
  const isGuardian = (pid: number): boolean => commandLine(pid).startsWith("/bin/sh");
  const keepers = await until("the keeper is guarded", () => {
    const found = processes(` _keeper ${root} `);
    return found.some(isGuardian) && found.filter((pid) => !isGuardian(pid));
  });
  for (const pid of keepers) process.kill(pid, "SIGKILL");
}

needs("root", "overlayfs", "native").describe("logs", () => {
  let store: LapStore;
  beforeAll(() => {
    store = new LapStore();
    store.loadPrograms();
  });
  afterAll(() => store.close());

  const run = (name: string, options: readonly string[], script: string): string =>
    store.ok("run", "-d", "--name", name, "--network", "none", ...options, "progs:1", "sh", "-c", script);
  const filesOf = (id: string): string[] =>
    readdirSync(join(store.root, "containers", id)).filter((name) => name.startsWith("log.json"));

  it("compresses full files, also when the keeper is killed meanwhile, and reads them", async () => {
    const rotation = ["--log-driver", "local", "--log-opt", "max-size=100k", "--log-opt", "max-file=9"];
    const id = run("c1", rotation, `${COUNT}; sleep 100`);
    await until("all is written", () => store.ok("logs", "-n", "1", "c1") === EXPECTED.at(-1));
    await killKeeper(store);
    await until("compressed", () => filesOf(id).every((name) => name === "log.json" || name.endsWith(".gz")));
    expect(filesOf(id).length).toBeGreaterThan(2);
    expect(store.ok("logs", "c1").split("\n")).toEqual(EXPECTED);
    expect(store.ok("logs", "-n", "3500", "c1").split("\n")).toEqual(EXPECTED.slice(-3500));
    store.ok("rm", "-f", "c1");
  });

  it("does not hold up a program whose log is stuck", async () => {
    const options = ["--log-opt", "mode=non-blocking", "--log-opt", "max-buffer-size=100k"];
    const id = run("n1", options, `while [ ! -e /go ]; do sleep 0.05; done; ${COUNT}; ${COUNT}; sleep 100`);
    const [writer, ...others] = processes(`lap-shim ${id}`).filter(isLogWriter);
    expect(others).toEqual([]);
    process.kill(writer!, "SIGSTOP");
    store.ok("exec", "n1", "touch", "/go");
    const sleeps = (): boolean => store.ok("top", "n1", "-o", "pid,args").includes("sleep 100");
    await until("the program got through", sleeps);
    process.kill(writer!, "SIGCONT");
    const lines = (): string[] => store.ok("logs", "n1").split("\n");
    await until("the rest is written", () => lines().length > 100);
    // What waited is whole and in order; what had no room is not there.
    expect(lines().slice(0, 100)).toEqual(EXPECTED.slice(0, 100));
    expect(lines().length).toBeLessThan(2 * LINES);
    store.ok("rm", "-f", "n1");
    expect(processes(`lap-shim ${id}`)).toEqual([]);
  });

  const lacks = !existsSync(JOURNALD) || spawnSync("journalctl", ["--version"]).error !== undefined;
  describe.skipIf(lacks)(titleUnless(lacks, "systemd-journald", "the journal"), () => {
    let machine: ChildProcess;
    // Of its own: a keeper that was started outside does not see the journal.
    let store: LapStore;
    beforeAll(() => {
      store = new LapStore();
      store.loadPrograms();
    });
    afterAll(() => store.close());
    const inside = (...args: readonly string[]): LapResult => {
      const words = [`--mount=/proc/${machine.pid}/ns/mnt`, "--", nativePart("lap"), "--root", store.root, ...args];
      const { status, stdout, stderr } = spawnSync("nsenter", words, { encoding: "utf8", timeout: 30_000 });
      return { code: status, stdout, stderr };
    };
    const journal = (...args: readonly string[]): Record<string, string>[] => {
      const words = [`--mount=/proc/${machine.pid}/ns/mnt`, "--", "journalctl", "--all", "-q", "-o", "json", ...args];
      const { stdout } = spawnSync("nsenter", words, { encoding: "utf8", timeout: 30_000, maxBuffer: 2 ** 26 });
      return stdout.split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line) as Record<string, string>]));
    };
    beforeEach(async () => {
      const setUp = [
        "mount --make-rprivate /",
        "mount -t tmpfs tmpfs /run",
        "mount -t tmpfs tmpfs /var/log",
        "mkdir -p /run/systemd/journal /run/log/journal",
        `exec ${JOURNALD}`,
      ];
      machine = spawn("unshare", ["-m", "sh", "-c", setUp.join(" && ")], { stdio: "ignore" });
      await until(
        "the journal listens",
        () =>
          spawnSync("nsenter", [`--mount=/proc/${machine.pid}/ns/mnt`, "test", "-S", "/run/systemd/journal/socket"])
            .status === 0,
      );
    });
    afterEach(async () => {
      const gone = once(machine, "exit");
      machine.kill();
      await gone;
    });

    it("gets every line with what it is of, and gives them back", async () => {
      const labels = ["--label", "com.shop=a", "--log-opt", "labels=com.shop", "--log-opt", "tag={{.Name}}"];
      const few = EXPECTED.slice(0, FEW);
      const script = `echo out; echo err >&2; ${COUNT.replace(String(LINES), String(FEW))}; printf rest; sleep 100`;
      const { stdout: id } = inside(
        "run",
        "-d",
        "--name",
        "j1",
        "--network",
        "none",
        "--log-driver",
        "journald",
        ...labels,
        "progs:1",
        "sh",
        "-c",
        script,
      );
      await until("all is there", () => journal("CONTAINER_NAME=j1").length === FEW + 2);
      const all = journal("CONTAINER_NAME=j1");
      // The two streams come on their own ways.
      const [first, second] = ["out", "err"].map((text) => all.find(({ MESSAGE }) => MESSAGE === text));
      expect(first).toMatchObject({
        MESSAGE: "out",
        PRIORITY: "6",
        CONTAINER_TAG: "j1",
        SYSLOG_IDENTIFIER: "j1",
        COM_SHOP: "a",
      });
      expect(second).toMatchObject({ MESSAGE: "err", PRIORITY: "3", IMAGE_NAME: "progs:1" });
      // Of the last two, one at least is of the longer stream.
      expect(inside("logs", "-n", "2", "j1").stdout.trimEnd().split("\n").at(-1)).toBe(few.at(-1));
      const newer = spawnFollower("-n", "0", "j1");
      await until("it follows", () => processes(" -f -n all ").some((pid) => commandLine(pid).includes(id.trim())));
      const follower = spawnFollower("j1");
      inside("kill", "j1");
      const { stdout, stderr } = await follower;
      expect((await newer).stdout).toBe("COM_SHOP=a rest");
      expect(stderr).toBe("COM_SHOP=a err\n");
      expect(stdout).toBe(["out", ...few, "rest"].map((line) => `COM_SHOP=a ${line}`).join("\n"));
      inside("rm", "j1");
    });

    it("has the end of a container of --rm, whose keeper was killed", async () => {
      inside(
        "run",
        "-d",
        "--rm",
        "--name",
        "j2",
        "--network",
        "none",
        "--log-driver",
        "journald",
        "progs:1",
        "sh",
        "-c",
        "echo first; sleep 1; echo last",
      );
      await until("the first is there", () => journal("CONTAINER_NAME=j2").length > 0);
      await killKeeper(store);
      await until("removed", () => inside("ps", "-aq").stdout === "");
      await until("the last is there", () => journal("CONTAINER_NAME=j2").length > 1);
      expect(journal("CONTAINER_NAME=j2").map(({ MESSAGE }) => MESSAGE)).toEqual(["first", "last"]);
    });

    async function spawnFollower(...args: readonly string[]): Promise<{ stdout: string; stderr: string }> {
      const words = [`--mount=/proc/${machine.pid}/ns/mnt`, "--", nativePart("lap"), "--root", store.root];
      const child = spawn("nsenter", [...words, "logs", "-f", "--details", ...args]);
      const texts = { stdout: "", stderr: "" };
      child.stdout.on("data", (chunk) => (texts.stdout += String(chunk)));
      child.stderr.on("data", (chunk) => (texts.stderr += String(chunk)));
      await once(child, "close");
      return texts;
    }
  });

  it("is refused where there is no journal", () => {
    const { code, stderr } = store.run([
      "run",
      "--rm",
      "--log-driver",
      "journald",
      "--network",
      "none",
      "progs:1",
      "true",
    ]);
    // A machine that runs systemd has one.
    if (existsSync("/run/systemd/journal/socket")) expect(code).toBe(0);
    else
      expect({ code, stderr }).toEqual({
        code: 125,
        stderr: expect.stringContaining("journald is not enabled on this host") as string,
      });
    expect(store.ok("ps", "-aq")).toBe("");
  });
});

function isLogWriter(pid: number): boolean {
  return spawnSync("cat", [`/proc/${pid}/comm`], { encoding: "utf8" }).stdout === "lap-log\n";
}
