// The library on containers of this machine: programs and their streams, files of running and stopped boxes, forks, waiting, and what
// is left behind when a program that held boxes ends, however it ends.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { release } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { open, type Box, type Store } from "@lapstrake/engine";
import { needs } from "../support/facts.ts";
import { LapStore, leftovers, nothingLeft } from "../support/lap.ts";
import { soon, until } from "../support/until.ts";

const MIB = 1024 * 1024;
const HELD = join(import.meta.dirname, "engine-library-held.ts");

needs("root", "overlayfs", "native").describe("the library", () => {
  let lap: LapStore;
  let store: Store;
  beforeAll(async () => {
    lap = new LapStore();
    lap.loadPrograms();
    store = await open({ root: lap.root });
  });
  afterAll(async () => {
    await store[Symbol.asyncDispose]();
    await lap.close();
  });

  const box = (options: Parameters<Store["box"]>[1] = {}): Promise<Box> =>
    store.box("progs:1", { network: "none", ...options });

  it("gives a program's exit as a value, and as an error where success was asked for", async () => {
    const result = await store.run("progs:1", ["sh", "-c", "echo out; echo err >&2; exit 3"], { network: "none" });
    expect(result).toMatchObject({ ok: false, exitCode: 3, stdout: "out\n", stderr: "err\n", timedOut: false });
    const checked = store.run("progs:1", ["sh", "-c", "echo why >&2; exit 3"], { network: "none", check: true });
    await expect(checked).rejects.toMatchObject({ code: "ERR_LAP_EXIT_CODE", exitCode: 3, stderr: "why\n" });
    await expect(store.run("progs:1", ["nope"], { network: "none" })).rejects.toMatchObject({
      code: "ERR_LAP_EXEC_NOT_FOUND",
    });
    expect(readdirSync(join(lap.root, "containers"))).toEqual([]);
  });

  it("ends what takes too long, what is aborted, and what nobody reads any more", async () => {
    await using held = await box();
    expect(await held.exec(["sleep", "60"], { timeoutMs: 50 })).toMatchObject({
      exitCode: 137,
      signal: "SIGKILL",
      timedOut: true,
    });
    const reason = new Error("enough");
    const controller = new AbortController();
    const aborted = held.exec(["sleep", "60"], { signal: controller.signal });
    setTimeout(() => controller.abort(reason), 30);
    await expect(aborted).rejects.toBe(reason);
    const endless = held.exec(["sh", "-c", "while :; do echo y; done"]);
    for await (const line of endless) {
      expect(line).toBe("y");
      break;
    }
    expect((await endless).signal).toBe("SIGPIPE");
  });

  it("keeps memory flat over a gigabyte out and a gigabyte in", async () => {
    await using held = await box();
    const before = process.memoryUsage.rss();
    let highest = before;
    const watch = setInterval(() => (highest = Math.max(highest, process.memoryUsage.rss())), 10);
    let bytes = 0;
    const out = held.exec(["dd", "if=/dev/zero", "bs=1M", "count=1024"]);
    for await (const chunk of out.stdout as AsyncIterable<Buffer>) bytes += chunk.length;
    expect([(await out).exitCode, bytes]).toEqual([0, 1024 * MIB]);
    const piece = new Uint8Array(MIB);
    async function* gigabyte(): AsyncGenerator<Uint8Array> {
      for (let i = 0; i < 1024; i++) yield await Promise.resolve(piece);
    }
    const into = await held.exec(["sh", "-c", "dd of=/dev/null bs=64k 2>&1"], { stdin: gigabyte() });
    clearInterval(watch);
    expect(into.stdout).toContain(`${1024 * MIB} bytes`);
    expect(highest - before).toBeLessThan(200 * MIB);
  });

  it("stops a program that writes when the reader stops reading", async () => {
    await using held = await box();
    const writer = held.exec([
      "sh",
      "-c",
      "i=0; while :; do echo 0123456789abcdef; i=$((i+1)); echo $i >/tmp-count; done",
    ]);
    const { stdout } = writer;
    await once(stdout, "readable");
    const count = async (): Promise<string> => held.fs.readFile("/tmp-count", "utf8");
    let last = "";
    for (let now = await count(); now !== last; now = await count()) {
      last = now;
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
    // What fits into the pipes and buffers on the way, and no more.
    expect(Number(last) * 17).toBeLessThan(4 * MIB);
    writer.kill("SIGKILL");
    stdout.resume();
    expect((await writer).exitCode).toBe(137);
  });

  it("is a pair of web streams", async () => {
    await using held = await box();
    const program = held.exec(["cat"], { stdin: "pipe" });
    const text = await new Response(new Blob(["through"]).stream().pipeThrough(program)).text();
    expect([text, (await program).ok]).toEqual(["through", true]);
  });

  it("quotes every value of a shell line", async () => {
    await using held = await box({ env: { SECRET: "shown" } });
    const values = ["a b", "$SECRET", "`id`", "'; exit 9; '", "\n", "*", "-n", ""];
    for (const value of values) expect((await held.$`echo -- ${value}`).stdout).toBe(`-- ${value}\n`);
    expect(await held.$`echo ${["x y", 1]} | cat`.text()).toBe("x y 1");
    await expect(held.$`exit 4`).rejects.toMatchObject({ exitCode: 4 });
    expect((await held.$({ check: false })`exit 4`).exitCode).toBe(4);
  });

  it("reads and writes files whether the box runs or not, and never outside of it", async () => {
    await using held = await box({ start: false });
    await held.fs.mkdir("/files/deep", { recursive: true });
    await held.fs.writeFile("/files/deep/file", "before");
    await held.fs.symlink("/etc/shadow", "/files/link");
    await held.start();
    expect(await held.$`cat /files/deep/file`.text()).toBe("before");
    await held.$`echo inside >/files/deep/file; ln -s /proc/1/root/files/deep/file /files/magic`;
    expect(await held.fs.readFile("/files/deep/file", "utf8")).toBe("inside\n");
    expect(await held.fs.readFile("/proc/1/comm", "utf8")).toBe("sh\n");
    // The box has no such file; the machine has.
    await expect(held.fs.readFile("/files/link")).rejects.toMatchObject({ code: "ENOENT" });
    await expect(held.fs.readFile("/../../../../../etc/shadow")).rejects.toMatchObject({ code: "ENOENT" });
    async function* pieces(): AsyncGenerator<string> {
      for (const piece of ["one ", "two"]) yield await Promise.resolve(piece);
    }
    await held.fs.writeFile("/files/streamed", pieces());
    await held.stop({ timeoutMs: 0 });
    expect(await held.fs.readdir("/files")).toEqual(["deep", "link", "magic", "streamed"]);
    let text = "";
    for await (const chunk of held.fs.createReadStream("/files/streamed")) text += String(chunk);
    expect(text).toBe("one two");
    await held.fs.rm("/files", { recursive: true });
    await held.start();
    expect((await held.$({ check: false })`ls /files`).ok).toBe(false);
  });

  it("forks boxes that run and boxes that do not, each with files of its own", async () => {
    await using origin = await box();
    await origin.$`mkdir -p /d/gone; echo one >/d/a; rm -r /d/gone; rm /bin/touch; echo x >/w; rm /w`;
    await using live = await origin.fork();
    expect([origin.state(), live.state()]).toEqual(["running", "running"]);
    expect(await live.$`cat /d/a; ls /bin/touch /w 2>/dev/null || true`.text()).toBe("one");
    await live.$`echo two >/d/a; echo three >/d/b`;
    expect(await origin.$`cat /d/a; ls /d`.lines()).toEqual(["one", "a"]);
    await origin.stop({ timeoutMs: 0 });
    await using first = await origin.fork();
    await using second = await first.fork({ start: true });
    await second.$`rm -r /d; mkdir /d; echo new >/d/c`;
    await first.start();
    expect(await first.$`ls /d`.text()).toBe("a");
    await second.stop({ timeoutMs: 0 });
    await using third = await second.fork({ start: true });
    expect(await third.fs.readdir("/d")).toEqual(["c"]);
    expect(lap.ok("diff", third.id).split("\n").toSorted()).toEqual(["A /d", "A /d/c", "C /bin", "D /bin/touch"]);
    const image = await third.snapshot({ name: "snapped:1" });
    expect(await store.run(image.image, ["ls", "/d"], { network: "none" }).text()).toBe("c");
    await expect(store.run(image.image, ["touch", "/x"], { network: "none" })).rejects.toMatchObject({
      code: "ERR_LAP_EXEC_NOT_FOUND",
    });
  });

  it("forks a stopped box in a time that does not know its size", async () => {
    await using origin = await box();
    await origin.$`dd if=/dev/zero of=/big bs=1M count=64 2>/dev/null`;
    await origin.stop({ timeoutMs: 0 });
    const blocks = (): number =>
      Number(spawnSync("du", ["-s", "--block-size=1", lap.root]).stdout.toString().split("\t")[0]);
    const before = blocks();
    const forks: Box[] = [];
    for (let i = 0; i < 10; i++) forks.push(await origin.fork());
    expect(blocks() - before).toBeLessThan(4 * MIB);
    expect((await forks[9]!.fs.stat("/big")).size).toBe(64 * MIB);
    await origin[Symbol.asyncDispose]();
    expect((await forks[0]!.fs.stat("/big")).size).toBe(64 * MIB);
    for (const fork of forks) await fork[Symbol.asyncDispose]();
    expect(readdirSync(join(lap.root, "frozen")).filter((name) => name !== ".lock")).toEqual([]);
  });

  it("waits for a log line, a program and an end, and says why it will not come", async () => {
    const command = [
      "sh",
      "-c",
      "echo starting; sleep 0.1; echo ready; touch /ok; while [ ! -e /go ]; do sleep 0.02; done; exit 4",
    ];
    await using held = await box({ command, waitFor: [{ log: /^read/ }, { exec: ["stat", "/ok"] }] });
    await held.fs.writeFile("/go", "");
    await held.waitFor({ exit: 4 });
    expect(await held.wait()).toMatchObject({ exitCode: 4 });
    await expect(held.waitFor({ log: "never" })).rejects.toMatchObject({ code: "ERR_LAP_WAIT_ENDED" });
    await expect(held.waitFor({ exit: 0 })).rejects.toThrow(/exited with code 4, not 0; it said:\nstarting\nready/);
    await using silent = await box();
    const late = silent.waitFor({ port: 80, timeoutMs: 50 });
    await expect(late).rejects.toMatchObject({ code: "ERR_LAP_WAIT_TIMEOUT", kind: "deadlineExceeded" });
  });

  it("reaches a server inside that publishes nothing", async () => {
    const server = "require('http').createServer((q,s)=>s.end('hi '+q.url)).listen(8080,()=>console.log('up'))";
    const command = [process.execPath, "-e", server];
    await using held = await store.box("host", {
      command,
      network: "none",
      waitFor: [{ http: "/x", port: 8080 }, { log: "up" }, { port: 8080 }],
    });
    const socket = await held.connect(8080);
    socket.end("GET /y HTTP/1.0\r\n\r\n");
    let answer = "";
    for await (const chunk of socket as AsyncIterable<Buffer>) answer += chunk.toString();
    expect(answer).toMatch(/hi \/y$/);
    await expect(held.connect(81)).rejects.toMatchObject({ code: "ECONNREFUSED" });
    await expect(held.port(8080)).rejects.toMatchObject({ code: "ERR_LAP_NO_PORT" });
    await held.kill();
    if (!knows(6, 15)) {
      await expect(held.fs.readdir("/")).rejects.toMatchObject({ code: "ERR_LAP_OVERLAY_OLD" });
      return;
    }
    // Its own files over the machine's, of which it sees no secrets; what it writes is not the machine's.
    expect(await held.fs.readdir("/")).toContain("usr");
    await held.fs.writeFile("/usr/written-by-a-box", "");
    expect([await held.fs.exists("/etc/shadow"), existsSync("/usr/written-by-a-box")]).toEqual([false, false]);
  });

  it("refuses in words what a store or a request does not have", async () => {
    expect(() => store.get("nobody")).toThrow(expect.objectContaining({ code: "ERR_LAP_NO_CONTAINER" }));
    await expect(store.box("none:1", { pull: "never" })).rejects.toMatchObject({ code: "ERR_LAP_NO_IMAGE" });
    await using held = await box({ start: false });
    await expect(held.exec(["true"])).rejects.toMatchObject({ code: "ERR_LAP_NOT_RUNNING" });
    await expect(held.kill("SIGNONE")).rejects.toMatchObject({ code: "ERR_LAP_SIGNAL_INVALID" });
    await expect(box({ name: held.name })).rejects.toMatchObject({ code: "ERR_LAP_NAME_TAKEN" });
  });

  it("lets a kept container be", async () => {
    const name = "kept-by-the-library";
    {
      await using kept = await box({ name, keep: true });
      await kept.fs.writeFile("/kept", "");
    }
    await using again = store.get(name);
    expect([again.state(), await again.fs.exists("/kept")]).toEqual(["running", true]);
    const ended = again.wait();
    lap.ok("rm", "-f", name);
    expect(await ended).toMatchObject({ exitCode: 137, signal: "SIGKILL" });
    await expect(again.wait()).rejects.toMatchObject({ code: "ERR_LAP_NO_CONTAINER" });
  });

  it("tells what happens as it happens", async () => {
    const controller = new AbortController();
    const seen: string[] = [];
    const events = store.events({ signal: controller.signal })[Symbol.asyncIterator]();
    const first = events.next();
    await store.run("progs:1", ["true"], { network: "none" });
    for (let next = await first; ; next = await events.next()) {
      if (next.done === true) break;
      seen.push(next.value.action);
      if (next.value.action === "destroy") break;
    }
    controller.abort();
    expect(seen).toEqual(["create", "attach", "connect", "start", "die", "disconnect", "destroy"]);
  });

  it("leaves nothing after a thousand aborts and disposals", { timeout: 240_000 }, async () => {
    await using origin = await box();
    // What earlier tests started has ended, and whatever is opened once is open now.
    await nothingLeft(lap.folder);
    for (let i = 0; i < 10; i++) await cycle(store, origin, i);
    const before = machine(lap);
    let next = 1;
    const worker = async (): Promise<void> => {
      for (let i = next++; i <= 1000; i = next++) await cycle(store, origin, i);
    };
    await Promise.all([worker(), worker(), worker(), worker()]);
    // A closed socket's descriptor goes a turn later.
    await soon(() => expect(machine(lap)).toEqual(before));
  });

  it.each(["SIGKILL", "SIGTERM", "SIGINT", "throw"])("cleans up after a program that ends by %s", async (how) => {
    const args = ["--conditions=@lapstrake/source", "--no-warnings", HELD, lap.root, how];
    const env = { ...process.env, NODE_COMPILE_CACHE: join(lap.folder, "compiled") };
    const child = spawn(process.execPath, args, { env, stdio: ["ignore", "pipe", "pipe"] });
    let said = "";
    child.stderr.on("data", (chunk: Buffer) => (said += chunk.toString()));
    using _end = { [Symbol.dispose]: () => void child.kill("SIGKILL") };
    const exited = once(child, "exit");
    if (how === "throw") await exited;
    else {
      await Promise.race([once(child.stdout, "data"), exited.then(() => Promise.reject(new Error(said)))]);
      expect(readdirSync(join(lap.root, "containers"))).toHaveLength(how === "SIGKILL" ? 4 : 3);
      child.kill(how as NodeJS.Signals);
      await exited;
    }
    if (how === "throw") expect(said).toContain("on purpose");
    // What ran is cleaned up by its supervisor, at once; what did not run, by whoever looks later.
    const containers = (): string[] => readdirSync(join(lap.root, "containers"));
    await until("what ran is gone", () => containers().length <= (how === "SIGKILL" ? 1 : 0));
    await until("nothing is listed", () => store.engine!.list().length === 0);
    await soon(() => expect(containers()).toEqual([]));
  });
});

/** One of a thousand: something is made and broken off, or done and disposed of. */
async function cycle(store: Store, origin: Box, i: number): Promise<void> {
  const signal = AbortSignal.timeout(1 + ((i * 7) % 40));
  const quiet = async (work: PromiseLike<unknown>): Promise<void> => {
    try {
      await work;
    } catch (error) {
      if (!(error instanceof DOMException) && !String(error).includes("aborted")) throw error;
    }
  };
  const kind = i % 10;
  if (kind < 4) await quiet(origin.exec(["sleep", "60"], { signal }));
  else if (kind < 6) await quiet(store.run("progs:1", ["sleep", "60"], { signal, network: "none" }));
  else if (kind === 6)
    await quiet(store.box("progs:1", { network: "none", signal }).then((box) => box[Symbol.asyncDispose]()));
  else if (kind === 7) {
    await using box = await store.box("progs:1", { start: false });
    await box.fs.writeFile("/x", "");
    await using fork = await box.fork();
    await fork.fs.writeFile("/x", "x");
  } else if (kind === 8) {
    await using program = origin.exec(["cat"], { stdin: "pipe" });
    program.stdin.write("left behind");
  } else await origin.fs.writeFile("/written", String(i));
}

/** What a leak would show in. */
function machine(lap: LapStore): Record<string, unknown> {
  const names = (path: string): string[] => readdirSync(join(lap.root, path)).filter((name) => name !== ".lock");
  return {
    containers: names("containers"),
    // With what is in it: that says who left it.
    trash: readdirSync(join(lap.root, "trash"), { recursive: true }),
    frozen: names("frozen"),
    names: names("names"),
    mounts: readFileSync("/proc/self/mountinfo", "utf8")
      .split("\n")
      .filter((line) => line.includes(lap.root)),
    processes: leftovers(lap.root).length,
    execs: names("containers").flatMap((id) => names(`containers/${id}/exec`)),
    descriptors: readdirSync("/proc/self/fd").length,
  };
}

/** This kernel is that old or newer. */
function knows(major: number, minor: number): boolean {
  const [ours = 0, less = 0] = release().split(".").map(Number);
  return ours > major || (ours === major && less >= minor);
}
