// A container from launch to exit: isolation as seen from inside, exit codes, streams, failures, nothing left.
import { createHash } from "node:crypto";
import { existsSync, openSync, readFileSync, readdirSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { hostFacts, readStatus } from "@lapstrake/core";
import { soon, until } from "../support/until.ts";
import { finish, leftoverCgroups, missing, run, sh, TestContainer } from "./core-harness.ts";

describe.skipIf(missing !== undefined)(`core run${missing === undefined ? "" : ` (skipped: ${missing})`}`, () => {
  afterAll(() => soon(() => expect(leftoverCgroups()).toEqual([])));

  test("is pid 1 with its own hostname, mounts and network", async () => {
    const { stdout } = await sh("echo $$; hostname; ls /sys/class/net; cat /proc/1/cgroup; grep -c . /proc/mounts");
    const lines = stdout.trim().split("\n");
    expect(lines.slice(0, 3)).toEqual(["1", "box", "lo"]);
    expect(hostname()).not.toBe("box");
    for (const line of lines.slice(3, -1)) expect(line).toMatch(/:\/$/);
  });

  test("what it deletes is still on the host", async () => {
    const { stdout, status } = await sh("rm -rf /home /opt /srv; ls -d /home /opt /srv 2>/dev/null; echo done");
    expect(stdout).toBe("done\n");
    expect(status.exitCode).toBe(0);
    expect(existsSync("/home") && existsSync("/opt")).toBe(true);
  });

  test.each([0, 1, 42, 125, 126, 127, 137, 255])("exit code %i", async (code) => {
    expect((await sh(`exit ${code}`)).status.exitCode).toBe(code);
  });

  test("a signal is 128 + its number", async () => {
    using container = new TestContainer(["sleep", "100"]);
    const launched = await container.start();
    launched.attachment!.signal(9);
    const { status } = await finish(launched);
    expect(status).toMatchObject({ exitCode: 137, signal: 9, supervisorLost: false });
    expect(readStatus(container.containerDir)).toMatchObject({ state: "exited", exitCode: 137, signal: 9 });
  });

  test.each([
    [["nosuch"], "ERR_LAP_EXEC_NOT_FOUND", 'exec: "nosuch": executable file not found in $PATH'],
    [["/no/such"], "ERR_LAP_EXEC_NOT_FOUND", 'exec: "/no/such": stat /no/such: no such file or directory'],
    [["/etc/passwd"], "ERR_LAP_EXEC_PERMISSION", 'exec: "/etc/passwd": permission denied'],
    [["/etc"], "ERR_LAP_EXEC_PERMISSION", 'exec: "/etc": is a directory'],
  ])("launch failure %j", async (args, code, message) => {
    await expect(run(args)).rejects.toMatchObject({ code, message });
  });

  test("only 0, 1 and 2 are open; signals, umask and limits are reset", async () => {
    const { stdout } = await sh(
      "ls /proc/self/fd; umask; grep -E '^Sig(Ign|Blk)|^Cap(Eff|Bnd|Inh|Amb)' /proc/self/status; ulimit -Sn",
    );
    expect(stdout.split("\n").slice(0, 4)).toEqual(["0", "1", "2", "3"]);
    expect(stdout).toContain("0022\n");
    expect(stdout).toContain("SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
    expect(stdout).toContain("CapEff:\t00000000a80425fb\nCapBnd:\t00000000a80425fb\n");
    expect(stdout).toContain("CapInh:\t0000000000000000\nCapPrm".slice(0, 24));
    expect(stdout.trim().split("\n").at(-1)).toBe("1024");
  });

  test("CVE-2019-5736: a program that is /proc/self/exe finds a sealed copy of the helper, not its file", async () => {
    const shim = hostFacts().shim!;
    const before = createHash("sha256").update(readFileSync(shim)).digest("hex");
    const script =
      "cd /tmp; ln -s /proc/self/exe entry; (./entry 2>/dev/null; sleep 0) & for i in 1 2 3 4 5 6 7 8 9; do echo pwned > /proc/$!/exe; done 2>/dev/null; wait; readlink /proc/self/exe";
    expect((await sh(script)).status.exitCode).toBe(0);
    await expect(run(["/proc/self/exe"])).resolves.toMatchObject({ status: { exitCode: 1 } });
    expect(createHash("sha256").update(readFileSync(shim)).digest("hex")).toBe(before);
  });

  test("the helper runs from memory and cannot be written", async () => {
    using container = new TestContainer(["sleep", "100"]);
    const launched = await container.start();
    const exe = `/proc/${launched.supervisorPid}/exe`;
    expect(readlinkSync(exe)).toContain("memfd:lap-shim");
    expect(() => openSync(exe, "r+")).toThrow(/EPERM|ETXTBSY/);
    launched.attachment!.signal(9);
    await finish(launched);
  });

  test("kernel files are masked, read-only or absent", async () => {
    const { stdout } = await sh(
      "head -c 9 /proc/kcore | wc -c; ls /sys/firmware | wc -l; (echo 1 > /proc/sys/kernel/hung) 2>&1; (mkdir /sys/x) 2>&1; mount -t tmpfs x /mnt 2>&1 | head -1",
    );
    expect(stdout.split("\n").slice(0, 2)).toEqual(["0", "0"]);
    expect(stdout).toMatch(/mkdir: .*Read-only file system/);
    expect(stdout).toMatch(/permission denied|must be superuser/i);
  });

  test("/dev has the default devices and links", async () => {
    const { stdout } = await sh(
      "cd /dev; ls; stat -c '%n %F %t:%T %a' null zero full random urandom tty; readlink fd ptmx; echo x > /dev/null",
    );
    for (const name of ["console", "fd", "mqueue", "pts", "shm", "stderr"].filter((one) => one !== "console")) {
      expect(stdout.split("\n")).toContain(name);
    }
    expect(stdout).toContain("null character special file 1:3 666");
    expect(stdout).toContain("/proc/self/fd\npts/ptmx\n");
  });

  test("stdout and stderr stay apart and are logged in order", async () => {
    using container = new TestContainer([
      "sh",
      "-c",
      'printf "a<&>\\303\\051\\n"; read x; echo err >&2; read x; printf tail',
    ]);
    const launched = await container.start({ openStdin: true });
    const said = finish(launched);
    const file = join(container.containerDir, "log.json");
    const next = async (lines: number): Promise<void> => {
      await until("logged", () => existsSync(file) && readFileSync(file, "utf8").split("\n").length > lines);
      await launched.attachment!.writeStdin(Buffer.from("\n"));
    };
    await next(1);
    await next(2);
    const { stdout, stderr } = await said;
    expect(stderr).toBe("err\n");
    expect(stdout).toContain("a<&>");
    const log = readFileSync(join(container.containerDir, "log.json"), "utf8").trim().split("\n");
    expect(log[0]).toMatch(
      /^\{"log":"a\\u003c\\u0026\\u003e\\ufffd\)\\n","stream":"stdout","time":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z"\}$/,
    );
    expect(JSON.parse(log[1]!)).toMatchObject({ log: "err\n", stream: "stderr" });
    expect(JSON.parse(log[2]!)).toMatchObject({ log: "tail", stream: "stdout" });
  });

  test("16 MiB through stdin and stdout are bit exact, long lines split at 16 KiB in the log", async () => {
    using container = new TestContainer(["cat"]);
    const launched = await container.start({ openStdin: true, stdinOnce: true });
    const data = Buffer.alloc(16 * 1024 * 1024, "0123456789abcdef");
    void launched.attachment!.writeStdin(data);
    launched.attachment!.endStdin();
    const hash = createHash("sha256");
    for await (const chunk of launched.attachment!.stdout) hash.update(chunk as Buffer);
    expect((await launched.attachment!.exited).exitCode).toBe(0);
    expect(hash.digest("hex")).toBe(createHash("sha256").update(data).digest("hex"));
    const first = readFileSync(join(container.containerDir, "log.json"), "utf8").split("\n")[0]!;
    expect((JSON.parse(first) as { log: string }).log.length).toBe(16384);
  });

  test("the log rotates and keeps its number of files", async () => {
    using container = new TestContainer(["sh", "-c", "yes abcdefghij | head -5000"]);
    const path = join(container.containerDir, "log.json");
    const launched = await container.start({ log: { path, maxBytes: 100_000, maxFiles: 3 } });
    await finish(launched);
    expect(
      readdirSync(container.containerDir)
        .filter((name) => name.startsWith("log.json"))
        .toSorted(),
    ).toEqual(["log.json", "log.json.1", "log.json.2"]);
  });

  test("a pty of its own devpts, with size, control characters and console", async () => {
    using container = new TestContainer([
      "sh",
      "-c",
      "tty; stty size; ls -l /dev/console; read x; echo got $x; sleep 100",
    ]);
    const { attachment } = await container.start({ stdio: "pty", openStdin: true, ttySize: { rows: 33, cols: 101 } });
    let output = "";
    attachment!.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
    const ended = new Promise((resolve) => attachment!.stdout.once("end", resolve));
    await attachment!.writeStdin(Buffer.from("hi\n"));
    await until("it has read", () => output.includes("got hi"));
    await attachment!.writeStdin(Buffer.from("\x03"));
    expect((await attachment!.exited).exitCode).toBe(130);
    await ended;
    // The echo of what was typed comes when it comes.
    expect(output.replace(/^hi\r\n/m, "")).toMatch(
      /\/dev\/pts\/0\r\n33 101\r\ncrw--w---- 1 root tty 136, 0 .*\/dev\/console\r\ngot hi\r\n\^C/,
    );
  });

  test("a user without privileges keeps none and may open /dev/stdout", async () => {
    const user = { uid: 1234, gid: 1235, additionalGids: [7, 9] };
    const { stdout } = await sh("id; grep CapEff /proc/self/status; echo out > /dev/stdout", (spec) => ({
      ...spec,
      process: { ...spec.process!, user },
    }));
    expect(stdout).toMatch(/uid=1234 gid=1235 groups=1235,7\(lp\),9\(news\)\nCapEff:\t0000000000000000\nout\n/);
  });

  test("the working directory is made and entered", async () => {
    const { stdout } = await sh("pwd", (spec) => ({ ...spec, process: { ...spec.process!, cwd: "/made/for/me" } }));
    expect(stdout).toBe("/made/for/me\n");
  });
});
