// kill -9 of client, supervisor, reaper and keeper at random instants, and many commands on one name at once: no exit code is lost,
// nothing is wedged, nothing stays behind. The seed is printed by a failing case; LAP_CHAOS_SEED repeats it.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { env } from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import type { ChildProcess } from "node:child_process";
import { afterAll, beforeAll, expect, it } from "vitest";
import { needs } from "../support/facts.ts";
import { LapStore } from "../support/lap.ts";
import { commandLine, ended, processes } from "../support/processes.ts";
import { until } from "../support/until.ts";

const SEED = Number(env["LAP_CHAOS_SEED"] ?? Date.now() % 1_000_000);
const ROUNDS = 12;

/** Numbers in [0, 1): mulberry32. */
function randoms(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Kills whatever of the store matches; its own processes only, as each names the store or the container. */
function killMatching(matches: (line: string) => boolean): number {
  const found = processes("").filter((pid) => matches(commandLine(pid)));
  for (const pid of found) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // ended meanwhile
    }
  }
  return found.length;
}

needs("root", "overlayfs", "native").describe("killed at random", () => {
  let store: LapStore;
  const random = randoms(SEED);
  beforeAll(() => {
    store = new LapStore();
    store.loadPrograms();
  });
  afterAll(() => store.close());

  const victims = (id: string): Readonly<Record<string, () => number>> => ({
    client: () => killMatching((line) => line.includes(store.root) && line.includes(" run ")),
    supervisor: () => killMatching((line) => line === `lap-shim ${id} `),
    reaper: () => killMatching((line) => line.includes(store.root) && line.includes(" _reap ")),
    keeper: () => killMatching((line) => line.endsWith(` _keeper ${store.root} `) && !line.startsWith("/bin/sh")),
  });

  it(`keeps every exit code (seed ${SEED})`, async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const who = ["client", "supervisor", "reaper"][round % 3]!;
      const name = `x${round}`;
      const client = store.spawn([
        "run",
        "--name",
        name,
        "--network",
        "none",
        "progs:1",
        "sh",
        "-c",
        "sleep 0.15; exit 5",
      ]);
      const gone = ended(client);
      let id = "";
      await until(
        "made",
        () => (id = store.run(["ps", "-aq", "--no-trunc", "--filter", `name=^${name}$`]).stdout.trim()) !== "",
      );
      // A reaper is there only when nobody else cleans up.
      if (who === "reaper") client.kill("SIGKILL");
      await sleep(random() * 250);
      for (let tries = 0; tries < (who === "reaper" ? 20 : 1); tries++) {
        victims(id)[who]!();
        await sleep(5);
      }
      await gone;
      await until(`${name} ended`, () =>
        ["exited", "created"].includes(store.ok("inspect", "-f", "{{.State.Status}}", name)),
      );
      const [state, code] = store.ok("inspect", "-f", "{{.State.Status}} {{.State.ExitCode}}", name).split(" ");
      // A client that died before the start leaves a container that was never started, and that can be.
      if (state === "created") expect(store.run(["start", "-a", name])).toEqual({ code: 5, stdout: "", stderr: "" });
      else expect(who === "supervisor" ? ["5", "137"] : ["5"]).toContain(code);
      expect(store.run(["wait", name]).stdout.trim()).toBe(state === "created" ? "5" : code);
      store.ok("rm", name);
    }
    expect(store.ok("ps", "-aq")).toBe("");
  }, 180_000);

  it(`keeps a container with a restart policy alive (seed ${SEED})`, async () => {
    const id = store.ok(
      "run",
      "-d",
      "--name",
      "pp",
      "--network",
      "none",
      "--restart",
      "always",
      "progs:1",
      "sleep",
      "0.4",
    );
    for (let round = 0; round < ROUNDS; round++) {
      await sleep(random() * 200);
      const who = ["supervisor", "reaper", "keeper"][Math.floor(random() * 3)]!;
      victims(id)[who]!();
    }
    const before = Number(store.ok("inspect", "-f", "{{.RestartCount}}", "pp"));
    // Back-off may have grown to some seconds by now.
    await until("started again", () => Number(store.ok("inspect", "-f", "{{.RestartCount}}", "pp")) > before, 60_000);
    store.ok("stop", "-t", "1", "pp");
    expect(store.ok("inspect", "-f", "{{.State.Status}}", "pp")).toBe("exited");
    store.ok("rm", "pp");
  }, 180_000);

  it("is consistent after ten concurrent commands on one name", async () => {
    const verbs = [
      "start",
      "stop -t 0",
      "rm -f",
      "create",
      "restart -t 0",
      "kill",
      "inspect",
      "rename",
      "pause",
      "unpause",
    ];
    for (let round = 0; round < 4; round++) {
      const clients = verbs.map((verb) => {
        const [word, ...options] = verb.split(" ");
        if (word === "create")
          return store.spawn(["create", "--name", "one", "--network", "none", "progs:1", "sleep", "100"]);
        return store.spawn([word!, ...options, "one", ...(word === "rename" ? ["one"] : [])]);
      });
      const texts = clients.map((client) => collected(client));
      await Promise.all(clients.map(ended));
      for (const text of texts) expect(await text).not.toMatch(/internal error/);
      const ids = store
        .ok("ps", "-aq", "--no-trunc", "--filter", "name=^one$")
        .split("\n")
        .filter((line) => line !== "");
      expect(ids.length).toBeLessThanOrEqual(1);
      expect(readdirSync(join(store.root, "containers")).toSorted()).toEqual(ids);
      const state = ids.length === 0 ? "gone" : store.ok("inspect", "-f", "{{.State.Status}}", "one");
      expect(["gone", "created", "running", "paused", "exited"]).toContain(state);
    }
    store.run(["rm", "-f", "one"]);
    expect(store.ok("ps", "-aq")).toBe("");
  });

  it("starts one of ten concurrent starts", async () => {
    store.ok("create", "--name", "ss", "--network", "none", "progs:1", "sleep", "100");
    const codes = await Promise.all(Array.from({ length: 10 }, () => ended(store.spawn(["start", "ss"]))));
    expect(codes).toEqual(Array<number>(10).fill(0));
    expect(
      store.ok("events", "--since", "0", "--until", "0s", "-f", "container=ss", "-f", "event=start").split("\n"),
    ).toHaveLength(1);
    const removed = await Promise.all(Array.from({ length: 10 }, () => ended(store.spawn(["rm", "-f", "ss"]))));
    expect(removed).toContain(0);
    expect(store.ok("ps", "-aq")).toBe("");
  });
});

async function collected(child: ChildProcess): Promise<string> {
  let text = "";
  for await (const chunk of child.stderr!) text += String(chunk);
  return text;
}
