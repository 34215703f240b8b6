// What a payload that means harm can answer to who asks for its files.
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { OPEN, UnionFs, treeFromTar, writeTar } from "@lapstrake/layers";
import { afterEach, beforeEach, expect, it } from "vitest";
import { bytesInput, chunkOutput } from "../io/buffers.ts";
import { Interrupt } from "../run/interrupt.ts";
import { encodeFrame, FRAME } from "./exec-frames.ts";
import { LiveFiles } from "./files-client.ts";
import { framed, Pieces, serveFiles } from "./files-visit.ts";

let folder: string;
let path: string;
let server: Server | undefined;
let answer: (socket: Socket) => void;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "lap-files-"));
  path = join(folder, "exec.sock");
  server = createServer((socket) => {
    socket.on("error", () => socket.destroy());
    socket.once("data", () => answer(socket));
  });
  await new Promise((resolve) => server!.listen(path, () => resolve(undefined)));
});
afterEach(() => {
  server?.close();
  rmSync(folder, { recursive: true });
});

const code = (error: unknown): unknown => (error as { code?: unknown }).code;
const opened = (): Promise<unknown> => LiveFiles.open(path, { answerMs: 100 }).then(() => "open", code);

it("waits for silence no longer than it has to", async () => {
  answer = () => undefined;
  expect(await opened()).toBe("ERR_LAP_FILES_BUSY");
});

it("takes nonsense, too much and an early end for what they are", async () => {
  const huge = Buffer.alloc(4, 0xff);
  for (const bytes of [encodeFrame(FRAME.stdout, huge), Buffer.concat([Buffer.from([3]), huge])]) {
    answer = (socket) => void socket.write(bytes);
    expect(await opened()).toBe("ERR_LAP_FILES_WASM");
  }
  answer = (socket) => void socket.end(encodeFrame(FRAME.stdout, Buffer.from([9, 0, 0, 0, 1])));
  expect(await opened()).toBe("ERR_LAP_NOT_RUNNING");
});

it("follows no link, and takes nothing but a socket for one", async () => {
  symlinkSync(path, join(folder, "link"));
  writeFileSync(join(folder, "file"), "");
  await expect(LiveFiles.open(join(folder, "link"))).rejects.toMatchObject({ code: "ERR_LAP_NOT_RUNNING" });
  await expect(LiveFiles.open(join(folder, "file"))).rejects.toMatchObject({ code: "ERR_LAP_NOT_RUNNING" });
  await expect(LiveFiles.open(join(folder, "none"))).rejects.toMatchObject({ code: "ERR_LAP_NOT_RUNNING" });
});

it("says why a change was refused", async () => {
  answer = (socket) => {
    for (const bytes of framed([])) socket.write(encodeFrame(FRAME.stdout, bytes));
    socket.on("data", () => {
      socket.write(encodeFrame(FRAME.stderr, Buffer.from("no space\u001b[2J left")));
      socket.end(encodeFrame(FRAME.exit, Buffer.from([1])));
    });
  };
  using live = await LiveFiles.open(path);
  await expect(live.put([])).rejects.toMatchObject({ message: expect.stringContaining("no space?[2J left") as string });
});

/** One order served over `fs`, with `input` as what comes back. */
function served(fs: UnionFs, input: Uint8Array): Uint8Array {
  const pieces = new Pieces();
  const visit = { args: [], env: {}, cwd: "/", terminal: false, interrupt: new Interrupt() };
  const stdout = chunkOutput((chunk) => pieces.push(chunk));
  expect(serveFiles(fs, { ...visit, stdin: bytesInput(input), stdout, stderr: stdout })).toBe(0);
  return pieces.whole();
}

function withFile(text: string): UnionFs {
  const fs = UnionFs.create([]);
  const { handle } = fs.create(fs.root, "f", 0o644, OPEN.write);
  fs.write(handle, Buffer.from(text), 0, text.length, 0);
  fs.close(handle);
  return fs;
}

it("puts a whole layer over the files, and nothing of one that was cut off", () => {
  const given = Buffer.concat([...framed(writeTar(withFile("x".repeat(3_000_000)).diffEntries()))]);
  const fs = withFile("before");
  served(fs, given.subarray(0, -4));
  expect(fs.getattr(fs.lookup(fs.root, "f")).size).toBe(6);
  const before = served(fs, given);
  expect(treeFromTar(before).root.children?.size).toBe(1);
  expect(fs.getattr(fs.lookup(fs.root, "f")).size).toBe(3_000_000);
});
