// The pipe between programs that run one after the other.
import { expect, test } from "vitest";
import { ProcRaise } from "../p1/process.ts";
import { MemoryPipe } from "./memory-pipe.ts";

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

function read(pipe: MemoryPipe, length: number): string {
  const into = new Uint8Array(length);
  return text(into.subarray(0, pipe.input.read(into, 0, length)));
}

function write(pipe: MemoryPipe, message: string): number {
  const bytes = new TextEncoder().encode(message);
  return pipe.output.write(bytes, 0, bytes.length);
}

test("gives the bytes in order, however they were written and are read", () => {
  const pipe = new MemoryPipe();
  for (const part of ["ab", "c", "", "def"]) write(pipe, part);
  expect([read(pipe, 4), pipe.input.ready()]).toEqual(["abcd", 2]);
  write(pipe, "g".repeat(40_000));
  expect(read(pipe, 2)).toBe("ef");
  let rest = "";
  for (let part = read(pipe, 7000); part !== ""; part = read(pipe, 7000)) rest += part;
  expect(rest).toBe("g".repeat(40_000));
});

test("a reader that finds nothing lets the writer run, once", () => {
  const pipe = new MemoryPipe();
  let runs = 0;
  pipe.onStarve = () => {
    runs += 1;
    write(pipe, "late");
    pipe.output.close?.();
  };
  expect([read(pipe, 10), read(pipe, 10), runs]).toEqual(["late", "", 1]);
});

test("writing to nobody is EPIPE, writing without end SIGPIPE", () => {
  const pipe = new MemoryPipe();
  const block = new Uint8Array(1 << 20);
  expect(() => {
    for (;;) pipe.output.write(block, 0, block.length);
  }).toThrow(ProcRaise);
  pipe.input.close?.();
  expect(() => write(pipe, "x")).toThrow(expect.objectContaining({ code: "EPIPE" }));
});
