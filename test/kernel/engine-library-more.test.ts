// The library further on: what limits end, health, what is said when waiting was in vain, boxes of Wasm containers, locks that
// let the program go on, a store that is closed, and what `system check` knows of forks and holders.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { hostFacts } from "@lapstrake/core";
import { checkEngine, open, type Box, type CreateRequest, type Store } from "@lapstrake/engine";
import { buildGuests } from "../../wasm/build.ts";
import { needs, titleUnless } from "../support/facts.ts";
import { LapStore } from "../support/lap.ts";
import { PATIENCE_MS, soon } from "../support/until.ts";

const MIB = 1024 * 1024;
const noMemory = !hostFacts().cgroups.some(({ controllers }) => controllers.includes("memory"));

/** With a time limit, and with longer ones where the machine was too busy for the first to show what is meant. */
async function longer(timeoutMs: number, holds: (timeoutMs: number) => Promise<unknown>): Promise<void> {
  for (let limitMs = timeoutMs; ; limitMs *= 4) {
    try {
      await holds(limitMs);
      return;
    } catch (error) {
      if (limitMs > PATIENCE_MS) throw error;
    }
  }
}

needs("root", "overlayfs", "native").describe("the library, further on", () => {
  let lap: LapStore;
  let store: Store;
  beforeAll(async () => {
    lap = new LapStore();
    lap.loadPrograms();
    await buildGuests(join(lap.folder, "guests"));
    store = await open({ root: lap.root });
  });
  afterAll(async () => {
    await store[Symbol.asyncDispose]();
    await lap.close();
  });

  const box = (options: Parameters<Store["box"]>[1] = {}): Promise<Box> =>
    store.box("progs:1", { network: "none", ...options });
  const health = (line: string): Partial<CreateRequest> => ({
    health: { test: ["CMD-SHELL", line], intervalMs: 50, timeoutMs: 5_000, retries: 2 },
  });

  it.skipIf(noMemory)(titleUnless(noMemory, "cgroup.memory", "says what memory has ended"), async () => {
    const greedy = ["dd", "if=/dev/zero", "of=/dev/null", "bs=128M", "count=1"];
    const small = { network: "none", memoryBytes: 24 * MIB } as const;
    expect(await store.run("progs:1", greedy, small)).toMatchObject({
      ok: false,
      exitCode: 137,
      signal: "SIGKILL",
      oomKilled: true,
      timedOut: false,
    });
    await using held = await box(small);
    expect(await held.exec(greedy)).toMatchObject({ exitCode: 137, signal: "SIGKILL", oomKilled: true });
    expect(await held.exec(["true"])).toMatchObject({ ok: true, oomKilled: false });
  });

  it("says what time has ended, of a run as of a program in a box", async () => {
    const late = (timeoutMs: number): PromiseLike<object> =>
      store.run("progs:1", ["sh", "-c", "echo begun; sleep 60"], { network: "none", timeoutMs });
    await longer(500, async (timeoutMs) =>
      expect(await late(timeoutMs)).toMatchObject({
        exitCode: 137,
        signal: "SIGKILL",
        timedOut: true,
        oomKilled: false,
        stdout: "begun\n",
      }),
    );
  });

  it("waits for health, and says what the last check said", async () => {
    await using held = await box({
      request: health("test -e /ok || { echo not yet; exit 1; }"),
      command: ["sh", "-c", "sleep 0.2; : >/ok; sleep 60"],
      waitFor: { healthy: true, timeoutMs: 60_000 },
    });
    expect(held.state()).toBe("running");
    await using never = await box({ request: health("echo broken; exit 1") });
    await longer(1_000, (timeoutMs) =>
      expect(never.waitFor({ healthy: true, timeoutMs })).rejects.toThrow(
        new RegExp(`did not get to being healthy within ${timeoutMs} ms; last there was "unhealthy": broken`),
      ),
    );
    await using unchecked = await box();
    await expect(unchecked.waitFor({ healthy: true })).rejects.toMatchObject({ code: "ERR_LAP_NO_HEALTH" });
  });

  it("names what was seen last when waiting was in vain", async () => {
    const server = "require('http').createServer((q,s)=>{s.statusCode=503;s.end()}).listen(8080,()=>console.log('up'))";
    const command = [process.execPath, "-e", server];
    await using held = await store.box("host", { command, network: "none", waitFor: { log: "up" } });
    const late = (what: object, text: string): Promise<void> =>
      longer(300, (timeoutMs) =>
        expect(held.waitFor({ ...what, timeoutMs } as never)).rejects.toThrow(text.replace("TIME", String(timeoutMs))),
      );
    await late({ http: "/", port: 8080 }, "an answer with status 503; it said:\nup");
    await late({ http: "/", port: 81 }, "ECONNREFUSED");
    await late({ port: 81 }, "listening at port 81 within TIME ms; last there was ECONNREFUSED");
    const failing = ["sh", "-c", "echo no such thing >&2; exit 3"];
    await late({ exec: failing }, "last there was exit code 3: no such thing");
    await late({ log: "never" }, "the log line never within TIME ms; it said:\nup");
    const end = held.waitFor({ exit: 0, timeoutMs: 300 });
    await expect(end).rejects.toMatchObject({ code: "ERR_LAP_WAIT_TIMEOUT" });
  });

  it("shows volumes among the files, of running and stopped boxes alike", async () => {
    const shared = join(lap.folder, "shared");
    mkdirSync(shared);
    await using held = await box({ volumes: [`${shared}:/shared`, "named:/named"], start: false });
    await held.fs.writeFile("/shared/a", "stopped");
    await pipeline(["into a volume"], held.fs.createWriteStream("/named/b"));
    await held.start();
    expect([readFileSync(join(shared, "a"), "utf8"), await held.$`cat /named/b`.text()]).toEqual([
      "stopped",
      "into a volume",
    ]);
    await held.fs.writeFile("/shared/a", "running");
    expect(readFileSync(join(shared, "a"), "utf8")).toBe("running");
  });

  it("takes Wasm containers for boxes", async () => {
    const guest = join(lap.folder, "guests/hello.wasm");
    const options = { command: ["write", "/made", "inside"], start: false, network: "none" } as const;
    await using made = await store.box(guest, options);
    await made.fs.writeFile("/given", "from outside");
    await made.start();
    expect(await made.wait()).toMatchObject({ exitCode: 0 });
    await made.stop();
    expect(await made.fs.readFile("/made", "utf8")).toBe("inside\n");
    await using fork = await made.fork();
    await fork.fs.writeFile("/made", "changed");
    expect([await made.fs.readFile("/made", "utf8"), await fork.fs.readFile("/given", "utf8")]).toEqual([
      "inside\n",
      "from outside",
    ]);
    expect(await store.run(guest, ["cat", "/hello.wasm"], { network: "none", encoding: "bytes" })).toMatchObject({
      stdout: new Uint8Array(readFileSync(guest)),
    });
  });

  it("runs programs in a running Wasm box, shows its files and forks it", async () => {
    const guest = join(lap.folder, "guests/hello.wasm");
    await using running = await store.box(guest, {
      entrypoint: ["sh"],
      command: ["-c", "read line"],
      network: "none",
    });
    await running.fs.writeFile("/given", "from outside\n");
    const script = "read line </given; echo $line >/made; echo inside; exit 3";
    expect(await running.exec(["sh", "-c", script])).toMatchObject({ exitCode: 3, stdout: "inside\n", stderr: "" });
    await using fork = await running.fork();
    await fork.fs.writeFile("/made", "of the fork\n");
    expect(await running.fs.readFile("/made", "utf8")).toBe("from outside\n");
    expect(await fork.fs.readFile("/given", "utf8")).toBe("from outside\n");
  });

  it("lets the program go on while one call waits for another", async () => {
    await using first = await box({ start: false });
    const second = store.get(first.name);
    const gate = Promise.withResolvers<string>();
    async function* slow(): AsyncGenerator<string> {
      yield "begun ";
      yield await gate.promise;
    }
    const written = first.fs.writeFile("/slow", slow());
    await sleep(50);
    const read = second.fs.readFile("/slow", "utf8");
    // A lock that is waited for in this thread would never be free.
    await sleep(50);
    gate.resolve("and done");
    await written;
    expect(await read).toBe("begun and done");
  });

  it("sees through one handle what another has changed", async () => {
    await using first = await box({ start: false });
    await first.fs.writeFile("/early", "");
    const second = store.get(first.name);
    await using fork = await second.fork();
    await first.fs.writeFile("/late", "");
    await first.start();
    expect(await first.$`ls /early /late`.lines()).toEqual(["/early", "/late"]);
    expect(await fork.fs.exists("/late")).toBe(false);
  });

  it("holds nothing open after a thousand stores", async () => {
    const cycle = async (): Promise<void> => {
      await using again = await open({ root: lap.root });
      await again.engine!.images();
      // One reader that never began, one that waits.
      again.events();
      const ended = again.events()[Symbol.asyncIterator]().next();
      await again[Symbol.asyncDispose]();
      expect(await ended).toMatchObject({ done: true });
    };
    for (let i = 0; i < 10; i++) await cycle();
    const descriptors = (): number => readdirSync("/proc/self/fd").length;
    const before = descriptors();
    for (let i = 0; i < 1000; i++) await cycle();
    await soon(() => expect(descriptors()).toBeLessThanOrEqual(before));
  });

  it("is checked: frozen files of nobody, names of files that are not there, and what dead programs held", async () => {
    const engine = store.engine!;
    const check = (repair: boolean): ReturnType<typeof checkEngine> =>
      checkEngine(engine, { repair, quick: true, minAgeMs: 0 });
    await using origin = await box({ start: false });
    await origin.fs.writeFile("/x", "");
    await using fork = await origin.fork();
    await origin.fs.writeFile("/y", "");
    await check(true);
    expect(await check(false)).toEqual([]);
    const frozen = join(lap.root, "frozen");
    const nobodys = "f".repeat(64);
    mkdirSync(join(frozen, nobodys));
    writeFileSync(join(frozen, "strange"), "");
    const known = engine.find(origin.id).frozen![0]!;
    const child = spawn("sleep", ["60"], { stdio: "ignore" });
    const request = { image: "progs:1", network: "none", command: ["sleep", "60"] } as const;
    const orphan = await engine.create(request, { held: child.pid! });
    await engine.start(orphan);
    child.kill("SIGKILL");
    await once(child, "exit");
    const texts = (await check(true)).map(({ kind, subject, text, repaired }) => [kind, subject, text, repaired]);
    expect(texts).toContainEqual(["waste", join(frozen, nobodys), expect.stringMatching(/no container needs/), true]);
    expect(texts).toContainEqual(["waste", join(frozen, "strange"), expect.any(String), true]);
    expect(texts).toContainEqual(["unsettled", orphan.id, expect.stringMatching(/running.*held it is dead/), true]);
    expect(readdirSync(frozen).filter((name) => name !== ".lock")).toEqual([known]);
    expect(await fork.fs.exists("/x")).toBe(true);
    rmSync(join(frozen, known), { recursive: true });
    const damaged = (await check(true)).filter(({ text }) => text.includes("before a fork"));
    expect(damaged.map(({ subject }) => subject).toSorted()).toEqual([origin.name, fork.name].toSorted());
    expect(await check(false)).toEqual([]);
    expect([await origin.fs.exists("/y"), engine.find(fork.id).frozen]).toEqual([true, []]);
  });
});
