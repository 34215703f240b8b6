// What crash and full-disk tests do to a store: commands, the state each starts from and what must be true after a retry.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import type { LapResult, LapStore } from "./lap.ts";

const SETTLE_MS = 5_000;

/** One command, what it needs before, and what is true once it has been done. */
export interface Scenario {
  readonly name: string;
  readonly command: readonly string[];
  /** Makes the state that the command starts from, whatever is there. */
  readonly before: (store: LapStore) => void;
  /** After the retry; throws when the work is not done. */
  readonly after: (store: LapStore) => void;
  /** A retry may find that the killed command had got that far. */
  readonly done?: RegExp;
  /** For some seconds the dead command's container may still be about to start. */
  readonly waits?: boolean;
}

const run = (store: LapStore, ...args: readonly string[]): number | null => store.run(args).code;
/** Removes the containers of all scenarios. */
export const gone = (store: LapStore): void => void run(store, "rm", "-f", "cc", "dd");
const state = (store: LapStore, name: string): string =>
  store.ok("inspect", "--format", "{{.State.Status}} {{.State.ExitCode}}", name);

/** The commands that change a store. */
export const SCENARIOS: readonly Scenario[] = [
  {
    name: "create",
    command: ["create", "--name", "cc", "progs:1", "sh", "-c", "exit 3"],
    before: gone,
    after: (store) => {
      run(store, "start", "-a", "cc");
      expect(state(store, "cc")).toBe("exited 3");
    },
    done: /already in use/,
  },
  {
    name: "run --rm",
    command: ["run", "--rm", "--name", "cc", "progs:1", "true"],
    before: gone,
    after: (store) => expect(store.ok("ps", "-aq")).toBe(""),
    waits: true,
  },
  {
    name: "run -d",
    command: ["run", "-d", "--name", "cc", "progs:1", "sleep", "100"],
    before: gone,
    after: (store) => {
      run(store, "start", "cc");
      expect(state(store, "cc")).toBe("running 0");
    },
    done: /already in use/,
  },
  {
    name: "start",
    command: ["start", "cc"],
    before: (store) => {
      gone(store);
      store.ok("create", "--name", "cc", "progs:1", "sleep", "100");
    },
    after: (store) => expect(state(store, "cc")).toBe("running 0"),
  },
  {
    name: "rm -f",
    command: ["rm", "-f", "cc"],
    before: (store) => {
      gone(store);
      store.ok("run", "-d", "--name", "cc", "progs:1", "sleep", "100");
    },
    after: (store) => expect(store.ok("ps", "-aq")).toBe(""),
    done: /No such container/,
  },
  {
    name: "rename",
    command: ["rename", "cc", "dd"],
    before: (store) => {
      gone(store);
      store.ok("create", "--name", "cc", "progs:1", "true");
    },
    after: (store) => expect(store.ok("ps", "-a", "--format", "{{.Names}}")).toBe("dd"),
    done: /No such container: cc/,
  },
  {
    name: "commit",
    command: ["commit", "cc", "made:1"],
    before: (store) => {
      gone(store);
      run(store, "rmi", "made:1");
      store.ok("run", "--name", "cc", "progs:1", "sh", "-c", "echo x > /made");
    },
    after: (store) => expect(store.ok("run", "--rm", "made:1", "cat", "/made")).toBe("x"),
  },
  {
    name: "rmi",
    command: ["rmi", "made:2"],
    before: (store) => {
      gone(store);
      store.ok("run", "--name", "cc", "progs:1", "touch", "/other");
      store.ok("commit", "cc", "made:2");
      gone(store);
    },
    after: (store) => expect(store.ok("images", "-q", "made:2")).toBe(""),
    done: /No such image/,
  },
  {
    name: "run -v",
    command: ["run", "--name", "cc", "-v", "cv:/data", "-v", "/anonymous", "progs:1", "cat", "/data/file"],
    before: (store) => {
      gone(store);
      run(store, "volume", "rm", "-f", "cv");
    },
    // The image's file was copied into the volume whole.
    after: (store) => expect(store.ok("run", "--rm", "-v", "cv:/x", "progs:1", "cat", "/x/file")).toBe("upper"),
    done: /already in use/,
  },
  {
    name: "volume rm",
    command: ["volume", "rm", "cv"],
    before: (store) => {
      gone(store);
      store.ok("volume", "create", "cv");
    },
    after: (store) => expect(store.ok("volume", "ls", "-q", "--filter", "name=cv")).toBe(""),
    done: /no such volume/,
  },
  {
    name: "network create",
    command: ["network", "create", "cn"],
    before: (store) => void run(store, "network", "rm", "cn"),
    after: (store) => {
      expect(store.ok("run", "--rm", "--network", "cn", "progs:1", "echo", "on")).toBe("on");
      store.ok("network", "rm", "cn");
    },
    done: /already exists/,
  },
  {
    name: "network connect",
    command: ["network", "connect", "cn", "cc"],
    before: (store) => {
      gone(store);
      run(store, "network", "create", "cn");
      store.ok("run", "-d", "--name", "cc", "progs:1", "sleep", "100");
    },
    after: (store) => {
      expect(store.ok("inspect", "--format", "{{len .NetworkSettings.Networks}}", "cc")).toBe("2");
      gone(store);
      store.ok("network", "rm", "cn");
    },
    done: /already exists|already attached/,
  },
  {
    name: "cp",
    command: ["cp", "MARKS", "cc:/copied"],
    before: (store) => {
      gone(store);
      store.ok("create", "--name", "cc", "progs:1", "cat", "/copied/a/b");
    },
    after: (store) => expect(store.ok("start", "-a", "cc")).toBe("mark"),
  },
  {
    name: "load",
    command: ["load", "-i", "LAYOUT"],
    before: (store) => {
      gone(store);
      run(store, "rmi", "-f", "made:1", "made:2", "progs:1");
    },
    after: (store) => expect(store.ok("run", "--rm", "progs:1", "echo", "hi")).toBe("hi"),
  },
];

/** The command again, until it can be done. */
export async function retry(store: LapStore, scenario: Scenario): Promise<LapResult> {
  const deadline = Date.now() + 2 * SETTLE_MS;
  for (;;) {
    const result = store.run(commandOf(store, scenario));
    if (result.code === 0 || scenario.waits !== true || Date.now() > deadline) return result;
    await sleep(200);
  }
}

/** A folder of the machine to copy. */
function marks(store: LapStore): string {
  const folder = join(store.folder, "marks");
  mkdirSync(join(folder, "a"), { recursive: true });
  writeFileSync(join(folder, "a/b"), "mark\n");
  return `${folder}/.`;
}

/** The words of a command. */
export function commandOf(store: LapStore, { command }: Scenario): string[] {
  return command.map((word) =>
    word === "LAYOUT" ? join(store.folder, "layout") : word === "MARKS" ? marks(store) : word,
  );
}

/** What the dead process's children still do ends by itself; then a check mends what is left, and the next finds nothing. */
export async function settle(store: LapStore, what: string): Promise<void> {
  const deadline = Date.now() + SETTLE_MS;
  for (;;) {
    const repair = store.run(["system", "check", "--quick", "--repair", "--older-than", "0s"]);
    const again = store.run(["system", "check", "--older-than", "0s"]);
    if (repair.code === 0 && again.stdout === "clean\n") return;
    if (Date.now() > deadline)
      throw new Error(`${what}: ${repair.stdout}${repair.stderr}${again.stdout}${again.stderr}`);
    await sleep(50);
  }
}
