// `lap run` as people use it: output, exit codes, isolation, the host image, what stays behind.
import { mkdtempDisposableSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { needs } from "../support/facts.ts";
import { LapStore } from "../support/lap.ts";

needs("root", "overlayfs", "native").describe("lap run", () => {
  let store: LapStore;
  beforeAll(() => {
    store = new LapStore();
    store.loadPrograms();
  });
  afterAll(() => store.close());

  const sh = (script: string, ...flags: string[]): ReturnType<LapStore["run"]> =>
    store.run(["run", "--rm", ...flags, "progs:1", "sh", "-c", script]);

  it("keeps stdout and stderr apart and passes stdin", () => {
    expect(sh("echo out; echo err >&2")).toEqual({ code: 0, stdout: "out\n", stderr: "err\n" });
    expect(store.run(["run", "--rm", "-i", "progs:1", "cat"], { input: "hello\n" }).stdout).toBe("hello\n");
    expect(store.run(["run", "--rm", "progs:1", "cat"], { input: "unseen\n" }).stdout).toBe("");
  });

  it("gives back every exit code", () => {
    for (const code of [0, 1, 3, 125, 126, 127, 128, 200, 255]) expect(sh(`exit ${code}`).code).toBe(code);
    expect(sh("kill -9 $$; sleep 1").code).toBe(0); // pid 1 does not die by its own signals
    expect(sh("sh -c 'kill -9 $$'").code).toBe(137);
    expect(sh("sh -c 'kill -15 $$'").code).toBe(143);
  });

  it("is pid 1 with its own host name, devices of its own, and no host mounts", () => {
    expect(sh("echo $$").stdout).toBe("1\n");
    expect(sh("cat /proc/sys/kernel/hostname", "-h", "box").stdout).toBe("box\n");
    expect(
      sh("cat /proc/net/dev")
        .stdout.split("\n")
        .filter((line) => line.includes(":"))
        .map((line) => line.split(":")[0]!.trim()),
    ).toEqual(["lo", "eth0"]);
    expect(sh("cat /proc/self/mountinfo").stdout).not.toMatch(/ \/work| \/boot/);
    const pids = sh("ls /proc")
      .stdout.split("\n")
      .filter((name) => /^\d+$/.test(name));
    expect(pids.length).toBeLessThanOrEqual(2);
  });

  it("drops to docker's capabilities", () => {
    const status = sh("cat /proc/self/status").stdout;
    const eff = BigInt(`0x${/CapEff:\s+([0-9a-f]+)/.exec(status)![1]!}`);
    expect(eff & ~0xa80425fbn).toBe(0n);
    expect(/CapInh:\s+([0-9a-f]+)/.exec(status)![1]).toBe("0000000000000000");
  });

  it("shows the layers merged", () => {
    expect(sh("cat /data/file; ls /data").stdout).toBe("upper\nbadscript\nfile\nnoexec\nsub\n");
  });

  it("runs as the asked user in the asked directory with the asked environment", () => {
    expect(sh("id -u; id -g; pwd; echo $A$HOME", "-u", "bob", "-w", "/data/sub", "-e", "A=1").stdout).toBe(
      "1000\n1000\n/data/sub\n1/home/bob\n",
    );
    expect(sh("true", "-u", "nosuchuser")).toMatchObject({
      code: 125,
      stderr: expect.stringContaining("unable to find user nosuchuser: no matching entries in passwd file"),
    });
  });

  it.each([
    [["nosuchcmd"], 127, 'exec: "nosuchcmd": executable file not found in $PATH'],
    [["/nosuch"], 127, 'exec: "/nosuch": stat /nosuch: no such file or directory'],
    [["/data"], 126, 'exec: "/data"'],
    [["/data/noexec"], 126, 'exec: "/data/noexec": permission denied'],
  ])("says why %j does not start", (args, code, text) => {
    const result = store.run(["run", "--rm", "progs:1", ...args]);
    expect(result.code).toBe(code);
    expect(result.stderr).toContain(text);
    expect(result.stdout).toBe("");
    expect(store.ok("ps", "-aq")).toBe("");
  });

  it.each([
    [["run", "--pull", "never", "nosuch:1"], 125, "No such image: nosuch:1"],
    [["run", "--nosuchflag", "progs:1"], 125, "unknown flag: --nosuchflag"],
    [["run"], 1, "'lap run' requires at least 1 argument"],
    [["run", "-w", "rel", "progs:1"], 125, "the working directory 'rel' is invalid, it needs to be an absolute path"],
    [["run", "--network", "nosuch", "progs:1"], 125, "network nosuch not found"],
    [["run", "-m", "1k", "progs:1"], 125, "Minimum memory limit allowed is 6MB"],
    [["run", "--cap-add", "NOSUCH", "progs:1"], 125, 'invalid CapAdd: unknown capability: "CAP_NOSUCH"'],
    [["run", "-it", "progs:1"], 1, "the input device is not a TTY"],
    [["run", "--name", "-bad", "progs:1"], 125, "Invalid container name"],
    [["frobnicate"], 1, "unknown command: lap frobnicate"],
    [["rm", "nosuch"], 1, "No such container: nosuch"],
    [["logs", "nosuch"], 1, "No such container: nosuch"],
  ])("refuses %j in one clear line", (args, code, text) => {
    const result = store.run(args);
    expect(result).toMatchObject({ code, stdout: "" });
    expect(result.stderr).toContain(text);
    expect(result.stderr).not.toContain("    at ");
    expect(store.ok("ps", "-aq")).toBe("");
  });

  it("carries a megabyte both ways bit for bit", () => {
    const input = Buffer.alloc(1 << 20, "0123456789abcdef\x00\xff", "latin1");
    const { stdout } = store.run(["run", "--rm", "-i", "progs:1", "cat"], { input });
    expect(Buffer.from(stdout, "latin1").equals(input)).toBe(true);
  });

  it("shows every stage of a start", () => {
    const { stderr } = store.run(["run", "--rm", "--debug=spec,plan,facts", "progs:1", "true"]);
    expect(stderr).toMatch(/--- facts\n\{/);
    expect(stderr).toMatch(/--- spec\n\{/);
    expect(stderr).toMatch(/--- plan\n/);
    expect(store.run(["run", "--debug=nosuch", "progs:1"]).stderr).toContain('unknown stage "nosuch"');
  });

  it("leaves the host untouched by a destroyed host image", () => {
    using marker = mkdtempDisposableSync("/var/tmp/lap-host-"); // beneath what it destroys
    writeFileSync(join(marker.path, "f"), "kept");
    const before = readdirSync("/").join(" ");
    const { code, stdout, stderr } = store.run(["run", "--rm", "host", "sh", "-c", "rm -rf /home /opt /var; ls /"]);
    expect(stderr).toBe("");
    expect(code).toBe(0);
    const seen = stdout.trim().split("\n");
    for (const gone of ["home", "opt", "var"]) expect(seen).not.toContain(gone);
    expect(seen).toContain("etc");
    expect(readdirSync("/").join(" ")).toBe(before);
    expect(readFileSync(join(marker.path, "f"), "utf8")).toBe("kept");
  });

  it("shows, forks and removes a tree nested deeper than any path can name", () => {
    const name = "d".repeat(200);
    const script = `cd /tmp; i=0; while [ $i -lt 40 ]; do mkdir ${name}; cd ${name} 2>/dev/null || cd -P ${name}; i=$((i+1)); done; echo x > leaf; echo > /tmp/done; echo made`;
    expect(store.run(["run", "--name", "deep", "progs:1", "sh", "-c", script]).stdout).toBe("made\n");
    const { code, stderr } = store.run(["diff", "deep"]);
    expect([code, stderr]).toEqual([0, ""]);
    store.ok("run", "-d", "--name", "runs", "progs:1", "sh", "-c", `${script}; exec sleep 100`);
    store.ok("exec", "runs", "sh", "-c", "until [ -e /tmp/done ]; do sleep 0.05; done");
    expect(store.run(["fork", "runs"])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("files nested deeper than a path can name") as string,
    });
    store.ok("stop", "-t", "0", "runs");
    store.ok("fork", "runs", "twin");
    expect(readdirSync(join(store.root, "trash"))).toEqual([]);
    expect(store.ok("rm", "runs", "twin", "deep")).toBe("runs\ntwin\ndeep");
    expect(store.ok("ps", "-aq")).toBe("");
  });

  it("hides the store and credentials in the host image, unless told otherwise", () => {
    const list = (...flags: string[]): string =>
      store.run([
        "run",
        "--rm",
        ...flags,
        "host",
        "sh",
        "-c",
        `ls -d /etc/shadow /etc/passwd ${store.root} 2>/dev/null`,
      ]).stdout;
    expect(list()).toBe("/etc/passwd\n");
    expect(list("--no-mask")).toBe("/etc/passwd\n/etc/shadow\n");
    expect(list("--mask", "/etc/passwd")).toBe("");
  });
});
