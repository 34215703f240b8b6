// What a person sees on a terminal, driven through tmux: a shell in a container, its window size, detach and attach, Ctrl-C, questions,
// and the progress of a load.
import { execFileSync, spawnSync } from "node:child_process";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { needs } from "../support/facts.ts";
import { LapStore } from "../support/lap.ts";
import { nativePart } from "../support/native.ts";
import { soon, until } from "../support/until.ts";

/** A tmux server of its own with one window, in which a shell waits. */
class Terminal implements Disposable {
  readonly #socket: string;

  constructor(folder: string) {
    this.#socket = join(folder, "tmux");
    this.#tmux("new-session", "-d", "-x", "100", "-y", "30", "env", "PS1=ready> ", "LC_ALL=C.UTF-8", "sh");
    this.#tmux("set-option", "-g", "status", "off");
  }

  #tmux(...args: readonly string[]): string {
    return execFileSync("tmux", ["-S", this.#socket, "-f", "/dev/null", ...args], {
      encoding: "utf8",
      timeout: 30_000,
    });
  }

  /** Text as typed; names of keys are tmux's. */
  type(text: string, ...keys: readonly string[]): void {
    this.#tmux("send-keys", "-l", text);
    if (keys.length > 0) this.#tmux("send-keys", ...keys);
  }

  keys(...keys: readonly string[]): void {
    this.#tmux("send-keys", ...keys);
  }

  resize(columns: number, rows: number): void {
    this.#tmux("resize-window", "-x", String(columns), "-y", String(rows));
  }

  screen(): string {
    return this.#tmux("capture-pane", "-p");
  }

  clear(): void {
    this.#tmux("send-keys", "-R");
    this.#tmux("clear-history");
  }

  /** Waits for a line that fits and gives the screen. */
  async sees(pattern: RegExp): Promise<string> {
    await soon(() => expect(this.screen()).toMatch(pattern));
    return this.screen();
  }

  [Symbol.dispose](): void {
    spawnSync("tmux", ["-S", this.#socket, "kill-server"], { timeout: 30_000 });
  }
}

needs("root", "overlayfs", "native", "command:tmux").describe("on a terminal", () => {
  let store: LapStore;
  let terminal: Terminal;
  let lap: string;

  beforeAll(() => {
    store = new LapStore();
    store.loadPrograms();
    lap = `${nativePart("lap")} --root ${store.root}`;
    terminal = new Terminal(store.folder);
  });
  afterAll(async () => {
    terminal[Symbol.dispose]();
    await store.close();
  });

  const run = (command: string): void => terminal.type(`${lap} ${command}; echo "ended $?"`, "Enter");

  it("gives a shell with the size of the window, and follows it", async () => {
    run("run -it --rm --network none progs:1 sh");
    await terminal.sees(/^#$/m);
    terminal.type("stty size; tty", "Enter");
    await terminal.sees(/^30 100\n\/dev\/pts\/0$/m);
    terminal.resize(90, 25);
    terminal.type("stty size", "Enter");
    await terminal.sees(/^25 90$/m);
    terminal.type("exit 4", "Enter");
    await terminal.sees(/^ended 4$/m);
    terminal.clear();
  });

  it("leaves the terminal as it was, and echoes again", async () => {
    terminal.type("echo visi''ble", "Enter");
    const screen = await terminal.sees(/^visible$/m);
    expect(screen).toContain("echo visi''ble");
    terminal.clear();
  });

  it("detaches by ctrl-p ctrl-q and attaches again", async () => {
    run("run -it --name tm1 --network none progs:1 sh");
    await terminal.sees(/^#$/m);
    terminal.keys("C-p", "C-q");
    await terminal.sees(/ended 0$/m);
    expect(store.ok("ps", "--format", "{{.Names}}")).toBe("tm1");
    terminal.clear();
    run("attach tm1");
    // Its shell has drawn its prompt long ago, and draws another for an empty line.
    await until("attached", () => {
      terminal.keys("Enter");
      return /^#/m.test(terminal.screen());
    });
    terminal.type("echo again", "Enter");
    await terminal.sees(/^again$/m);
    terminal.type("exit 6", "Enter");
    await terminal.sees(/^ended 6$/m);
    terminal.clear();
  });

  it("says how an exec was left", async () => {
    store.ok("run", "-d", "--name", "tm2", "--network", "none", "progs:1", "sleep", "100");
    run("exec -it tm2 sh");
    await terminal.sees(/^#$/m);
    terminal.keys("C-p", "C-q");
    await terminal.sees(/read escape sequence/);
    await terminal.sees(/^ended 1$/m);
    terminal.clear();
  });

  it("ends logs and stats by Ctrl-C", async () => {
    for (const command of ["logs -f tm2", "stats tm2"]) {
      run(command);
      if (command.startsWith("stats")) await terminal.sees(/CONTAINER ID +NAME +CPU %/);
      else await sleep(700);
      terminal.keys("C-c");
      await terminal.sees(/ended 130/);
      terminal.clear();
    }
    store.ok("rm", "-f", "tm2");
  });

  it("asks before it removes, and n leaves everything", async () => {
    store.ok("create", "--name", "tm3", "--network", "none", "progs:1");
    run("system prune");
    const screen = await terminal.sees(/Are you sure you want to continue\? \[y\/N\]/);
    expect(screen).toContain("WARNING! This will remove:\n  - all stopped containers\n");
    terminal.type("n", "Enter");
    await terminal.sees(/^ended 0$/m);
    expect(store.ok("ps", "-aq")).not.toBe("");
    terminal.clear();
    run("container prune");
    await terminal.sees(/\[y\/N\]/);
    terminal.type("y", "Enter");
    await terminal.sees(/Total reclaimed space: /);
    expect(store.ok("ps", "-aq")).toBe("");
    terminal.clear();
  });

  it("draws a line per layer while it loads, and hints where people look", async () => {
    const archive = join(store.folder, "progs.tar");
    store.ok("save", "-o", archive, "progs:1");
    store.ok("rmi", "progs:1");
    run(`load -i ${archive}`);
    const screen = await terminal.sees(/^ended 0$/m);
    expect(screen).toMatch(/^[0-9a-f]{12}: \w+/m);
    expect(screen).toContain("Loaded image: progs:1");
    terminal.clear();
  });

  it("never shows a password", async () => {
    run("login 127.0.0.1:1");
    await terminal.sees(/^Username:/m);
    terminal.type("anna", "Enter");
    await terminal.sees(/^Password:/m);
    terminal.type("geheim", "Enter");
    const screen = await terminal.sees(/^ended 1$/m);
    expect(screen).not.toContain("geheim");
    expect(screen.replaceAll("\n", "")).toContain("connect: connection refused");
  });
});
