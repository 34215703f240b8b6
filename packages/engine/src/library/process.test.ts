// A started program over a sandbox of the test's own: what is awaited, streamed, killed and let go.
import { Readable } from "node:stream";
import { expect, test } from "vitest";
import { Process } from "./process.ts";
import type { ProcessOptions, SandboxExit, StartedProcess } from "./process-types.ts";

class FakeProcess implements StartedProcess {
  readonly stdout: Readable = new Readable({ read() {} });
  readonly stderr: Readable = new Readable({ read() {} });
  readonly exited: Promise<SandboxExit>;
  readonly written: Uint8Array[] = [];
  readonly killed: number[] = [];
  finished = 0;
  #exit!: (exit: SandboxExit) => void;

  constructor() {
    this.exited = new Promise((resolve) => (this.#exit = resolve));
  }
  writeStdin(chunk: Uint8Array): Promise<void> {
    this.written.push(chunk);
    return Promise.resolve();
  }
  endStdin(): void {
    this.end(0);
  }
  kill(signal: number): void {
    this.killed.push(signal);
    this.end(128 + signal, signal);
  }
  finish(): Promise<void> {
    this.finished++;
    return Promise.resolve();
  }
  end(exitCode: number, signal?: number): void {
    this.stdout.push(null);
    this.stderr.push(null);
    this.#exit({ exitCode, signal, oomKilled: false });
  }
}

function started(options: ProcessOptions = {}): { readonly fake: FakeProcess; readonly program: Process } {
  const fake = new FakeProcess();
  return { fake, program: new Process(["program"], () => Promise.resolve(fake), options) };
}

test("the result has all output that is collected, up to its bound", async () => {
  const { fake, program } = started({ maxOutputBytes: 5 });
  fake.stdout.push("12345678");
  fake.stderr.push("1234");
  fake.end(2);
  expect(await program).toMatchObject({ ok: false, exitCode: 2, stdout: "12345", stderr: "1234", truncated: true });
  expect(fake.finished).toBe(1);
});

test("text, lines and json want success", async () => {
  const ok = started();
  ok.fake.stdout.push('{"a":1}\n');
  ok.fake.end(0);
  expect([await ok.program.text(), await ok.program.lines(), await ok.program.json()]).toEqual([
    '{"a":1}',
    ['{"a":1}'],
    { a: 1 },
  ]);
  const bad = started();
  bad.fake.stderr.push("why\n");
  bad.fake.end(1);
  await expect(bad.program.text()).rejects.toThrow('"program" exited with code 1: why');
});

test("lines come as they are written, cut anywhere", async () => {
  const { fake, program } = started();
  for (const piece of ["on", "e\ntw", "o\r\n", Buffer.from([0xe2, 0x82]), Buffer.from([0xac, 10]), "rest"])
    fake.stdout.push(piece);
  fake.end(0);
  const lines: string[] = [];
  for await (const line of program) lines.push(line);
  expect(lines).toEqual(["one", "two", "€", "rest"]);
  expect((await program).stdout).toBe("");
});

test("leaving the loop closes the pipe", async () => {
  const { fake, program } = started();
  fake.stdout.push("one\n");
  for await (const _ of program) break;
  expect((await program).exitCode).toBe(141);
  expect(fake.killed).toEqual([13]);
});

test("a stream that is taken too late is refused", async () => {
  const { fake, program } = started();
  fake.end(0);
  await program;
  expect(() => program.stdout).toThrow(expect.objectContaining({ code: "ERR_LAP_STREAM_TAKEN" }));
  expect(() => program.stdin).toThrow(expect.objectContaining({ code: "ERR_LAP_NO_STDIN" }));
});

test("input is text, bytes or a stream, or written", async () => {
  async function* pieces(): AsyncGenerator<string> {
    for (const piece of ["a", "b"]) yield await Promise.resolve(piece);
  }
  expect(() => started({ stdin: "ab" as "pipe" })).toThrow(expect.objectContaining({ code: "ERR_LAP_STDIN_INVALID" }));
  for (const stdin of [{ text: "ab" }, Buffer.from("ab"), pieces(), new Blob(["ab"]).stream()]) {
    const { fake, program } = started({ stdin });
    await program;
    expect(Buffer.concat(fake.written).toString()).toBe("ab");
  }
  const { fake, program } = started({ stdin: "pipe" });
  program.stdin.end("ab");
  await program;
  expect(Buffer.concat(fake.written).toString()).toBe("ab");
});

test("an input that breaks ends the program and is the error", async () => {
  async function* broken(): AsyncGenerator<string> {
    yield await Promise.resolve("a");
    throw new Error("broken source");
  }
  const { fake, program } = started({ stdin: broken() });
  await expect(program).rejects.toThrow("broken source");
  expect(fake.killed).toEqual([9]);
});

test("an abort kills, rejects with its reason, and breaks the streams", async () => {
  const controller = new AbortController();
  const { fake, program } = started({ signal: controller.signal });
  const { stdout } = program;
  const broken = new Promise((resolve) => stdout.once("error", resolve));
  await new Promise((resolve) => setImmediate(resolve));
  const reason = new Error("enough");
  controller.abort(reason);
  await expect(program).rejects.toBe(reason);
  expect(await broken).toBe(reason);
  expect([fake.killed, fake.finished]).toEqual([[9], 1]);
});

test("disposal kills and waits until nothing is left", async () => {
  const { fake, program } = started();
  await program[Symbol.asyncDispose]();
  expect([fake.killed, fake.finished]).toEqual([[9], 1]);
});

test("a program that does not start rejects once, and its streams break", async () => {
  const program = new Process(["x"], () => Promise.reject(new Error("no such thing")), {});
  const { stdout } = program;
  const broken = new Promise((resolve) => stdout.once("error", resolve));
  await expect(program).rejects.toThrow("no such thing");
  expect(await broken).toBeInstanceOf(Error);
});
