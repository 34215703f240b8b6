// A terminal: the pty is the container's own, sizes follow, Ctrl-C arrives, detach keys leave it running. script(1) gives the pty.
import { spawn, type ChildProcess } from "node:child_process";
import { afterAll, beforeAll, expect, it } from "vitest";
import { needs, nativePart } from "../support/facts.ts";
import { LapStore } from "../support/lap.ts";
import { ended } from "../support/processes.ts";
import { soon } from "../support/until.ts";

/** A program on a pty of its own. */
class Terminal {
  readonly process: ChildProcess;
  output = "";

  constructor(command: string) {
    this.process = spawn("script", ["-qefc", command, "/dev/null"], { stdio: ["pipe", "pipe", "inherit"] });
    this.process.stdout!.on("data", (chunk: Buffer) => (this.output += chunk.toString()));
  }

  type(text: string): void {
    this.process.stdin!.write(text);
  }

  see(pattern: RegExp): Promise<void> {
    return soon(() => expect(this.output).toMatch(pattern));
  }

  exited(): Promise<number | null> {
    return ended(this.process);
  }
}

needs("root", "overlayfs", "native", "command:script").describe("lap run -it", () => {
  let store: LapStore;
  beforeAll(() => {
    store = new LapStore();
    store.loadPrograms();
  });
  afterAll(() => store.close());
  const lap = (args: string): string => `${nativePart("lap")} --root ${store.root} ${args}`;

  it("gives a terminal of the container's own devpts, and the exit code", async () => {
    const terminal = new Terminal(lap("run -it --rm progs:1 sh"));
    const exit = terminal.exited();
    terminal.type("tty; echo is-$((20+3))\n");
    await terminal.see(/\/dev\/pts\/0[\s\S]*is-23/);
    terminal.type("exit 4\n");
    expect(await exit).toBe(4);
  });

  it("follows the window size", async () => {
    const terminal = new Terminal(
      `sh -c 'stty rows 33 cols 101; ${lap('run -it --rm progs:1 sh -c "stty size; read x; stty size"')}'`,
    );
    const exit = terminal.exited();
    await terminal.see(/33 101/);
    terminal.type("\n");
    expect(await exit).toBe(0);
  });

  it("delivers Ctrl-C to the program, not to the client", async () => {
    const terminal = new Terminal(
      lap(`run -it --rm progs:1 sh -c "trap 'echo caught; exit 9' INT; echo ready; while :; do sleep 0.05; done"`),
    );
    const exit = terminal.exited();
    await terminal.see(/ready/);
    terminal.type("\x03");
    await terminal.see(/caught/);
    expect(await exit).toBe(9);
  });

  it("has job control in a shell of the host image", async () => {
    const terminal = new Terminal(lap("run -it --rm host bash --norc -i"));
    const exit = terminal.exited();
    terminal.type("sleep 100 &\njobs; kill %1; wait; echo done-$((1+1))\n");
    await terminal.see(/\[1\]\+?\s+Running[\s\S]*done-2/);
    expect(terminal.output).not.toContain("no job control");
    terminal.type("exit\n");
    expect(await exit).toBe(0);
  });

  it("detaches by keys and leaves it running, and tells so", async () => {
    const begin = String(Date.now() / 1000);
    const terminal = new Terminal(`sh -c 'stty rows 33 cols 101; ${lap("run -it --name dk progs:1 sh")}'`);
    const exit = terminal.exited();
    terminal.type("echo up-$((1+1))\n");
    await terminal.see(/up-2/);
    terminal.type("\x10\x11");
    expect(await exit).toBe(0);
    expect(store.ok("ps", "--filter", "name=dk", "--format", "{{.Status}}")).toMatch(/^Up /);
    const inside = new Terminal(lap(`exec -it dk sh -c "echo in-$((1+1)); sleep 1"`));
    await inside.see(/in-2/);
    inside.type("\x10\x11");
    expect(await inside.exited()).toBe(1);
    const told = (): string[] =>
      store.ok("events", "--since", begin, "--until", "0s", "--format", "{{.Action}}").split("\n");
    await soon(() => expect(told()).toContain("exec_die"));
    const actions = told().filter((action) => /^(resize|detach|exec_d)/.test(action));
    expect(actions).toEqual(["resize", "detach", "exec_detach", "exec_die"]);
    expect(store.ok("events", "--since", begin, "--until", "0s", "--filter", "event=resize")).toMatch(
      /height=33.*width=101/,
    );
    store.ok("rm", "-f", "dk");
  });

  it("puts everything on stdout with -t alone", async () => {
    const { stdout, code } = store.run(["run", "--rm", "-t", "progs:1", "sh", "-c", "echo out; echo err >&2"]);
    expect(code).toBe(0);
    expect(stdout).toBe("out\r\nerr\r\n");
  });
});
