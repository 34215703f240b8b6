// Other engines drive lap-runtime: podman, buildah, containerd's ctr and dockerd, each with stores and sockets of its own.
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { nativePart, needs } from "../support/facts.ts";
import { tarFolder, writeLayout } from "../support/oci-layout.ts";
import { copyFiles, programFiles } from "../support/programs.ts";
import { until } from "../support/until.ts";

const PROGRAMS = ["/bin/sh", "/bin/sleep", "/bin/cat", "/usr/bin/id", "/usr/bin/tty", "/usr/bin/head", "/usr/bin/tail"];
const RUNTIME = nativePart("lap-runtime");
// Engines ask for more than a host without CAP_SYS_RESOURCE can give.
const NOFILE = ["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1000:1000"];

let dir = "";

interface Result {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function call(command: string, args: readonly string[], input?: Buffer): Result {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: "utf8", timeout: 60_000, input });
  return { code: status, stdout, stderr };
}

/** In a pseudoterminal of its own. */
function callInTerminal(command: string, args: readonly string[]): string {
  const line = [command, ...args].map((word) => `'${word}'`).join(" ");
  return call("script", ["-qec", line, "/dev/null"]).stdout;
}

function makeRoot(): string {
  const root = join(dir, "root");
  copyFiles(root, programFiles(PROGRAMS));
  for (const name of ["proc", "sys", "dev", "tmp", "etc"]) mkdirSync(join(root, name), { recursive: true });
  writeFileSync(join(root, "etc/passwd"), "root:x:0:0:root:/:/bin/sh\n");
  return root;
}

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "lap-interop-"));
  makeRoot();
});

afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** What an engine's command line must do, in docker's words. */
function engineTests(
  engine: (...args: string[]) => Result,
  terminal: (...args: string[]) => string,
  image: string,
): void {
  test("runs, with streams and exit codes", () => {
    const result = engine(
      "run",
      "--rm",
      ...NOFILE,
      "--network",
      "none",
      image,
      "sh",
      "-c",
      "id -u; echo err >&2; exit 4",
    );
    expect(result).toMatchObject({ code: 4, stdout: "0\n" });
    expect(result.stderr).toContain("err\n");
  });

  test.each([
    ["nosuch", 127],
    ["/etc/passwd", 126],
  ])("%s is exit code %i", (program, code) => {
    expect(engine("run", "--rm", ...NOFILE, "--network", "none", image, program).code).toBe(code);
  });

  test("exec, pause, update, top, restart, kill, rm", () => {
    expect(engine("run", "-d", "--name", "one", ...NOFILE, "--network", "none", image, "sleep", "1000").code).toBe(0);
    expect(engine("exec", "one", "sh", "-c", "id -u; exit 5")).toMatchObject({ code: 5, stdout: "0\n" });
    expect(terminal("exec", "-it", "one", "tty")).toContain("/dev/pts/0");
    expect(engine("pause", "one").code).toBe(0);
    expect(engine("ps", "-a", "--format", "{{.Status}}").stdout).toMatch(/paused/i);
    expect(engine("unpause", "one").code).toBe(0);
    expect(engine("top", "one").stdout).toContain("sleep 1000");
    expect(engine("restart", "-t", "0", "one").code).toBe(0);
    expect(engine("kill", "one").code).toBe(0);
    expect(engine("rm", "-f", "one").code).toBe(0);
  }, 120_000);

  test("a memory limit ends it with 137", () => {
    const script = "head -c 200000000 /dev/zero | tail > /dev/null; exit $?";
    const result = engine(
      "run",
      "--rm",
      ...NOFILE,
      "-m",
      "24m",
      "--memory-swap",
      "24m",
      "--network",
      "none",
      image,
      "sh",
      "-c",
      script,
    );
    expect(result.code).toBe(137);
  });
}

needs("root", "native", "command:podman").describe("podman --runtime lap-runtime", () => {
  const base = (): string[] => [
    "--root",
    join(dir, "pod"),
    "--runroot",
    join(dir, "podrun"),
    "--storage-driver",
    "vfs",
    "--cgroup-manager",
    "cgroupfs",
    "--runtime",
    RUNTIME,
  ];
  const podman = (...args: string[]): Result => call("podman", [...base(), ...args]);
  beforeAll(() => {
    expect(call("podman", [...base(), "import", "-", "probe:1"], tarFolder(join(dir, "root"))).code).toBe(0);
  });
  afterAll(() => void podman("system", "reset", "-f"));
  engineTests(podman, (...args) => callInTerminal("podman", [...base(), ...args]), "probe:1");
});

needs("root", "native", "command:buildah").describe("buildah --runtime lap-runtime", () => {
  test("a RUN step", () => {
    const base = ["--root", join(dir, "pod2"), "--runroot", join(dir, "podrun2"), "--storage-driver", "vfs"];
    const name = call("buildah", [...base, "from", "scratch"]).stdout.trim();
    writeFileSync(join(dir, "root.tar"), tarFolder(join(dir, "root")));
    expect(call("buildah", [...base, "add", name, join(dir, "root.tar"), "/"]).code).toBe(0);
    const run = call("buildah", [
      ...base,
      "run",
      "--isolation",
      "oci",
      "--runtime",
      RUNTIME,
      ...["--network", "host"],
      name,
      "--",
      "sh",
      "-c",
      "id -u > /made; cat /made; exit 3",
    ]);
    expect(run.stdout).toContain("0\n");
    expect(run.code).toBe(3);
    call("buildah", [...base, "rm", "-a"]);
  }, 60_000);
});

const answered = (check: () => boolean): Promise<unknown> => until("the daemon answers", check);

function stop(daemon: ChildProcess | undefined): Promise<void> {
  if (daemon === undefined || daemon.exitCode !== null) return Promise.resolve();
  const ended = new Promise<void>((resolve) => daemon.once("exit", () => resolve()));
  daemon.kill("SIGTERM");
  return ended;
}

needs("root", "native", "command:containerd", "command:ctr").describe("ctr run --runc-binary lap-runtime", () => {
  const at = (name: string): string => join(dir, "ctd", name);
  const ctr = (...args: string[]): Result => call("ctr", ["-a", at("c.sock"), ...args]);
  const runtime = (): string[] => ["--runc-binary", RUNTIME, "--runc-root", at("runtime")];
  let daemon: ChildProcess | undefined;

  beforeAll(async () => {
    mkdirSync(at(""), { recursive: true });
    const config = `version = 2\nroot = "${at("root")}"\nstate = "${at("state")}"\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n[grpc]\naddress = "${at("c.sock")}"\n[ttrpc]\naddress = "${at("t.sock")}"\n`;
    writeFileSync(at("config.toml"), config);
    daemon = spawn("containerd", ["-c", at("config.toml")], { stdio: "ignore" });
    await answered(() => ctr("version").code === 0);
    const platform = { os: "linux", architecture: process.arch === "arm64" ? "arm64" : "amd64" };
    writeLayout(at("layout"), [
      { tag: "probe:1", layers: [join(dir, "root")], config: { config: { Env: ["PATH=/usr/bin:/bin"] } }, platform },
    ]);
    expect(
      call("ctr", ["-a", at("c.sock"), "images", "import", "--base-name", "probe", "-"], tarFolder(at("layout"))).code,
    ).toBe(0);
  }, 60_000);
  afterAll(() => stop(daemon));

  test("run, exec, pause, tty, failing command, kill and delete", () => {
    const image = ctr("images", "ls", "-q").stdout.trim().split("\n")[0]!;
    expect(ctr("run", "--rm", ...runtime(), image, "a", "sh", "-c", "id -u; exit 3")).toMatchObject({
      code: 3,
      stdout: "0\n",
    });
    expect(ctr("run", "--rm", ...runtime(), image, "b", "nosuch").stderr).toContain(
      "executable file not found in $PATH",
    );
    expect(ctr("run", "-d", ...runtime(), image, "c", "sleep", "1000").code).toBe(0);
    expect(ctr("task", "exec", "--exec-id", "e", "c", "sh", "-c", "exit 6").code).toBe(6);
    expect(ctr("task", "pause", "c").code).toBe(0);
    expect(ctr("task", "ls").stdout).toContain("PAUSED");
    expect(ctr("task", "resume", "c").code).toBe(0);
    expect(callInTerminal("ctr", ["-a", at("c.sock"), "run", "-t", "--rm", ...runtime(), image, "d", "tty"])).toContain(
      "/dev/pts/0",
    );
    expect(ctr("task", "rm", "-f", "c").stderr).not.toContain("failed");
    expect(ctr("c", "rm", "c").code).toBe(0);
  }, 120_000);
});

needs("root", "native", "command:dockerd", "command:docker").describe("dockerd --add-runtime lap-runtime", () => {
  const at = (name: string): string => join(dir, "dk", name);
  const host = (): string[] => ["-H", `unix://${at("d.sock")}`];
  const withRuntime = (args: string[]): string[] =>
    args[0] === "run" ? ["run", "--runtime", "lap", ...args.slice(1)] : args;
  const docker = (...args: string[]): Result => call("docker", [...host(), ...withRuntime(args)]);
  let daemon: ChildProcess | undefined;

  beforeAll(async () => {
    mkdirSync(at(""), { recursive: true });
    const flags = [
      "--add-runtime",
      `lap=${RUNTIME}`,
      ...host(),
      "--pidfile",
      at("pid"),
      "--exec-root",
      at("exec"),
      "--data-root",
      at("data"),
      "--bridge=none",
      "--iptables=false",
      "--ip-masq=false",
    ];
    daemon = spawn("dockerd", flags, { stdio: "ignore" });
    await answered(() => docker("version").code === 0);
    expect(call("docker", [...host(), "import", "-", "probe:1"], tarFolder(join(dir, "root"))).code).toBe(0);
  }, 60_000);
  afterAll(() => stop(daemon));
  engineTests(docker, (...args) => callInTerminal("docker", [...host(), ...withRuntime(args)]), "probe:1");
});
