// A filter with a listener: the agent gets descriptor and state over its socket and decides; without it nothing starts.
import { spawn, spawnSync, type ChildProcessWithoutNullStreams } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RuntimeSpec, SeccompSpec } from "@lapstrake/base";
import { startTime } from "@lapstrake/core";
import { afterAll, describe, expect, test } from "vitest";
import { collect, finish, missing, sh, TestContainer } from "./core-harness.ts";

const ENODATA = 61;
const MKDIR = 83;
const EXECVE = 59;

const folder = mkdtempSync(join(tmpdir(), "lap-agent-"));
const program = join(folder, "agent");
const source = join(import.meta.dirname, "core-seccomp-agent.c");
const built = spawnSync("gcc", ["-O1", "-o", program, source], { timeout: 60_000 }).status === 0;
const lacking = missing ?? (built && process.arch === "x64" ? undefined : "x86_64 with gcc");
// A file whose tests are all skipped has no afterAll.
if (lacking !== undefined) rmSync(folder, { recursive: true });
let counter = 0;

afterAll(() => rmSync(folder, { recursive: true }));

class Agent implements Disposable {
  readonly socket: string = join(folder, `agent-${counter++}.sock`);
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #output: Promise<string>;

  /** Answers with ENODATA, or lets every call go on. */
  constructor(options: readonly string[] = [String(ENODATA)]) {
    this.#process = spawn(program, [this.socket, ...options]);
    this.#output = collect(this.#process.stdout);
  }

  async listening(): Promise<void> {
    await once(this.#process.stdout, "readable");
  }

  /** The state it was sent, and the calls it answered. */
  async result(): Promise<{ state: unknown; calls: number[] }> {
    const [, state, ...calls] = (await this.#output).trim().split("\n");
    return { state: JSON.parse(state!) as unknown, calls: calls.map(Number) };
  }

  async end(): Promise<void> {
    const exit = once(this.#process, "exit");
    this.#process.kill("SIGKILL");
    await exit;
  }

  [Symbol.dispose](): void {
    this.#process.kill("SIGKILL");
  }
}

function notifying(
  listenerPath: string,
  noNewPrivileges: boolean,
  names: readonly string[] = ["mkdir", "mkdirat"],
): (spec: RuntimeSpec) => RuntimeSpec {
  const seccomp: SeccompSpec = {
    defaultAction: "SCMP_ACT_ALLOW",
    listenerPath,
    listenerMetadata: "told to the agent",
    syscalls: [{ names, action: "SCMP_ACT_NOTIFY" }],
  };
  return (spec) => ({
    ...spec,
    annotations: { "org.example": "note" },
    process: { ...spec.process!, noNewPrivileges },
    linux: { ...spec.linux, seccomp },
  });
}

describe.skipIf(lacking !== undefined)(
  `core seccomp agent${lacking === undefined ? "" : ` (skipped: ${lacking})`}`,
  () => {
    test.each([true, false])("decides what a call returns, no_new_privs %s", async (noNewPrivileges) => {
      using agent = new Agent();
      await agent.listening();
      using container = new TestContainer(["mkdir", "/tmp/asked"], notifying(agent.socket, noNewPrivileges));
      const launched = await container.start();
      const { stderr, status } = await finish(launched);
      expect([stderr, status.exitCode]).toEqual([expect.stringContaining("No data available"), 1]);
      const { state, calls } = await agent.result();
      expect(calls).toEqual([MKDIR]);
      const told = {
        id: container.id,
        status: "creating",
        pid: launched.pid,
        annotations: { "org.example": "note" },
      };
      expect(state).toMatchObject({
        fds: ["seccompFd"],
        pid: launched.pid,
        metadata: "told to the agent",
        state: told,
      });
    });

    test("a process that is added has a listener of its own", async () => {
      using first = new Agent();
      await first.listening();
      using container = new TestContainer(["sleep", "100"], notifying(first.socket, true));
      const launched = await container.start();
      using second = new Agent();
      await second.listening();
      container.spec = notifying(second.socket, true)(container.spec);
      const added = await container.exec({ args: ["mkdir", "/tmp/asked"] }, startTime(launched.pid)!);
      expect((await finish(added)).stderr).toContain("No data available");
      const { state } = await second.result();
      expect(state).toMatchObject({ pid: added.pid, state: { status: "running", pid: launched.pid } });
      launched.attachment!.signal(9);
      await finish(launched);
    });

    test("once the agent is gone, its calls do not exist", async () => {
      using agent = new Agent();
      await agent.listening();
      const script = "mkdir /tmp/first; echo waiting; read go; mkdir /tmp/second";
      using container = new TestContainer(["sh", "-c", script], notifying(agent.socket, false));
      const launched = await container.start({ openStdin: true });
      await once(launched.attachment!.stdout, "readable");
      await agent.end();
      await launched.attachment!.writeStdin(Buffer.from("go\n"));
      const { stderr } = await finish(launched);
      expect(stderr.split("\n").map((line) => line.split(": ").at(-1))).toEqual([
        "No data available",
        "Function not implemented",
        "",
      ]);
    });

    test("calls that the start itself makes may be the agent's too", async () => {
      using agent = new Agent(["--continue"]);
      await agent.listening();
      const asked = notifying(agent.socket, false, ["execve", "openat", "open", "read", "close"]);
      expect((await sh("echo ran", asked)).stdout).toBe("ran\n");
      expect((await agent.result()).calls).toContain(EXECVE);
    });

    test("without an agent nothing starts", async () => {
      const nobody = join(folder, "nobody.sock");
      await expect(sh("echo ran", notifying(nobody, true))).rejects.toThrow(
        `seccompNotify: failed to connect with seccomp agent "${nobody}": ENOENT`,
      );
    });
  },
);
