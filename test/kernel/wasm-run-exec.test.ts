// `lap exec` in Wasm containers: another program on the filesystem of the one that runs, whether that computes, sleeps or reads.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { embedModule, parseWat } from "@lapstrake/wasm/component";
import { afterAll, beforeAll, expect, it } from "vitest";
import { buildGuests } from "../../wasm/build.ts";
import { needs } from "../support/facts.ts";
import { LapStore } from "../support/lap.ts";
import { soon, until } from "../support/until.ts";

/** Sleeps for an hour. */
const SLEEPS = `(module (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "_start")
    (i64.store (i32.const 16) (i64.const 0)) (i32.store (i32.const 16) (i32.const 1))
    (i64.store (i32.const 24) (i64.const 3600000000000))
    (drop (call $poll (i32.const 0) (i32.const 128) (i32.const 1) (i32.const 8)))))`;

needs("root", "overlayfs", "native").describe("exec in Wasm containers", () => {
  let store: LapStore;
  let hello: string;
  let sleeps: string;

  beforeAll(async () => {
    store = new LapStore();
    const guests = join(store.folder, "guests");
    mkdirSync(guests);
    await buildGuests(guests);
    hello = join(guests, "hello.wasm");
    sleeps = join(guests, "sleeps.wasm");
    writeFileSync(sleeps, await parseWat(SLEEPS));
    store.ok("run", "-d", "--name", "sleeper", "-e", "WHO=container", sleeps);
    const count = "i=0; while :; do echo $i > /count; i=$((i+1)); done";
    store.ok("run", "-d", "--name", "counter", "--entrypoint", "sh", hello, "-c", count);
  });
  afterAll(() => store.close());

  it("sees what the first program writes meanwhile, and the first sees what it wrote", async () => {
    const read = (): number => Number(store.ok("exec", "counter", "./hello.wasm", "cat", "/count"));
    await until("it counts", () => store.run(["exec", "counter", "./hello.wasm", "cat", "/count"]).code === 0);
    const before = read();
    await until("it counts on", () => read() > before);
    store.ok("exec", "counter", "./hello.wasm", "write", "/made", "by exec");
    expect(store.ok("exec", "counter", "./hello.wasm", "cat", "/made")).toBe("by exec");
  });

  it("wakes a program that sleeps, which goes on sleeping", () => {
    expect(store.ok("exec", "sleeper", "sh", "-c", "echo $WHO > /f; read x < /f; echo $x")).toBe("container");
    expect(store.ok("ps", "--format", "{{.Names}}", "--filter", "name=sleeper")).toBe("sleeper");
  });

  it("has its own streams, environment, directory and exit code", () => {
    const script = 'read line; echo "$line $A $WHO $PWD"; echo error >&2; exit 5';
    const args = ["exec", "-i", "-e", "A=b", "-w", "/dir", "sleeper", "sh", "-c", script];
    store.ok("exec", "sleeper", "sh", "-c", "echo > /dir/x || true");
    expect(store.run(args, { input: "typed\n" })).toEqual({
      code: 5,
      stdout: "typed b container /dir\n",
      stderr: "error\n",
    });
  });

  it("says that there is no such program, and what no guest can have", () => {
    expect(store.run(["exec", "sleeper", "nosuch"])).toMatchObject({ code: 127 });
    expect(store.run(["exec", "--user", "1", "sleeper", "sh"]).stderr).toContain("does not take --user");
  });

  it("runs components too, such as were copied in while it runs", async () => {
    const wit = `package test:exec; world fails { export wasi:cli/run@0.2.0; }
      package wasi:cli@0.2.0 { interface run { run: func() -> result; } }`;
    const fails = `(module (memory (export "memory") 1)
      (func (export "wasi:cli/run@0.2.0#run") (result i32) (i32.const 1)))`;
    const file = join(store.folder, "guests/fails.wasm");
    writeFileSync(file, await embedModule(await parseWat(fails), wit, "fails"));
    store.ok("cp", file, "sleeper:/fails.wasm");
    expect(store.run(["exec", "sleeper", "/fails.wasm"])).toEqual({ code: 1, stdout: "", stderr: "" });
    expect(store.ok("exec", "sleeper", "sh", "-c", "/fails.wasm || echo failed")).toBe("failed");
  });

  it("takes several at once, and large output", async () => {
    const line = "0123456789abcdef".repeat(64);
    const loop = `i=0; while [ $i -lt 300 ]; do echo ${line}; i=$((i+1)); done`;
    const runs = await Promise.all([1, 2, 3].map(() => store.lap("exec", "sleeper", "sh", "-c", loop)));
    expect(runs.map(({ stdout }) => stdout === `${line}\n`.repeat(300))).toEqual([true, true, true]);
  });

  it("ends with its container", async () => {
    store.ok("run", "-d", "--name", "short", sleeps);
    const child = store.spawn([
      "exec",
      "short",
      "sh",
      "-c",
      "echo here; while :; do read x < /none; done 2> /dev/null",
    ]);
    const spoken = new Promise((resolve) => child.stdout!.once("data", resolve));
    child.stdin!.end();
    child.stderr!.resume();
    const running = text(child.stdout!);
    await spoken;
    store.ok("stop", "short");
    expect(await running).toBe("here\n");
    expect(store.ok("inspect", "--format", "{{.State.ExitCode}}", "short")).toBe("143");
    store.ok("rm", "short");
  });

  it("is refused where the guest has the only thread", async () => {
    const child = store.spawn(["run", "--rm", "--name", "alone", sleeps]);
    child.stdin!.end();
    await until("it runs", () => store.ok("ps", "-q", "--filter", "name=alone") !== "");
    // Until then it only begins.
    const refused = { code: 126, stderr: expect.stringContaining("takes no exec") as string };
    await soon(() => expect(store.run(["exec", "alone", "sh", "-c", "echo"])).toMatchObject(refused));
    store.ok("rm", "-f", "alone");
  });
});
