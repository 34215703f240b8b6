// What people do with containers, and the whole lives of some: their supervisors, reapers and the keeper are broken off too.
import { expect } from "vitest";
import { created, gone, reaches, run, running, state, type Scenario } from "./scenario.ts";
import { soon } from "./until.ts";

/** A line that begins the life of `cc`, or begins it again. */
const begin = (what: string): string => `lap run -d --name cc ${what} || lap start cc`;

export const LIVES: readonly Scenario[] = [
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
    before: created("sleep", "100"),
    after: (store) => expect(state(store, "cc")).toBe("running 0"),
  },
  {
    name: "stop of a whole life",
    command: `${begin("progs:1 sleep 100")}; lap stop -t 0 cc`,
    before: gone,
    after: (store) => expect(state(store, "cc")).toBe("exited 137"),
  },
  {
    name: "an end by itself",
    command: `${begin("progs:1 sh -c 'sleep 0.1; exit 3'")}; lap wait cc`,
    before: gone,
    after: (store) => reaches(store, "exited 3"),
  },
  {
    name: "an end by itself, --rm",
    command: "lap run -d --rm --name cc progs:1 sleep 0.1",
    before: gone,
    after: (store) => soon(() => expect(store.ok("ps", "-aq")).toBe("")),
    waits: true,
  },
  {
    name: "restarts",
    command: begin("--restart on-failure:2 progs:1 sh -c 'exit 3'"),
    before: gone,
    after: (store) => reaches(store, "exited 3"),
  },
  {
    name: "health checks",
    command: begin("--health-cmd true --health-interval 100ms progs:1 sleep 100"),
    before: gone,
    after: (store) =>
      soon(() => expect(store.ok("inspect", "--format", "{{.State.Health.Status}}", "cc")).toBe("healthy")),
  },
  {
    name: "restart",
    command: ["restart", "-t", "0", "cc"],
    before: running(),
    after: (store) => expect(state(store, "cc")).toBe("running 0"),
  },
  {
    name: "kill",
    command: ["kill", "cc"],
    before: running(),
    after: (store) => reaches(store, "exited 137"),
    done: /is not running/,
  },
  {
    name: "pause",
    command: ["pause", "cc"],
    before: running(),
    after: (store) => {
      expect(state(store, "cc")).toBe("paused 0");
      store.ok("unpause", "cc");
    },
    done: /already paused/,
  },
  {
    name: "exec",
    command: ["exec", "cc", "touch", "/made"],
    before: running(),
    after: (store) => expect(store.ok("diff", "cc")).toContain("A /made"),
  },
  {
    name: "update",
    command: ["update", "--restart", "always", "--memory", "64m", "--memory-swap", "64m", "cc"],
    before: running(),
    after: (store) =>
      expect(store.ok("inspect", "--format", "{{.HostConfig.RestartPolicy.Name}} {{.HostConfig.Memory}}", "cc")).toBe(
        "always 67108864",
      ),
  },
  {
    name: "rename",
    command: ["rename", "cc", "dd"],
    before: created("true"),
    after: (store) => expect(store.ok("ps", "-a", "--format", "{{.Names}}")).toBe("dd"),
    done: /No such container: cc/,
  },
  {
    name: "rm -f",
    command: ["rm", "-f", "cc"],
    before: running(),
    after: (store) => expect(store.ok("ps", "-aq")).toBe(""),
    done: /No such container/,
  },
  {
    name: "cp",
    command: ["cp", "FOLDER/lower/data/.", "cc:/copied"],
    before: created("cat", "/copied/sub/keep"),
    after: (store) => expect(store.ok("start", "-a", "cc")).toBe("keep"),
  },
  {
    name: "fork",
    command: ["fork", "cc", "dd"],
    before: (store) => {
      gone(store);
      store.ok("run", "--name", "cc", "progs:1", "sh", "-c", "echo x > /made; cat /made");
    },
    after: (store) => {
      expect(store.ok("start", "-a", "cc")).toBe("x");
      expect(store.ok("start", "-a", "dd")).toBe("x");
    },
    done: /already in use/,
  },
  {
    name: "fork of a running one",
    command: ["fork", "--start", "cc", "dd"],
    before: running(),
    after: (store) => {
      run(store, "start", "dd");
      expect([state(store, "cc"), state(store, "dd")]).toEqual(["running 0", "running 0"]);
    },
    done: /already in use/,
  },
];
