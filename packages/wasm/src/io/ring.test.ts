import { Worker } from "node:worker_threads";
import { describe, expect, it } from "vitest";
import { Ring } from "./ring.ts";

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

function readSome(ring: Ring, length: number): string {
  const into = new Uint8Array(length);
  return new TextDecoder().decode(into.subarray(0, ring.input().read(into, 0, length)));
}

describe("Ring", () => {
  it("passes bytes around its end in order", () => {
    const ring = Ring.create("pipe", 8);
    const output = ring.output();
    for (const part of ["abcdef", "ghij", "klmnop"]) {
      expect(output.write(text(part), 0, part.length)).toBe(part.length);
      expect(readSome(ring, 8)).toBe(part);
    }
  });

  it("takes no more than it has room for", () => {
    const ring = Ring.create("pipe", 4);
    expect(ring.output().write(text("abcdef"), 0, 6)).toBe(4);
    expect(ring.input().ready()).toBe(4);
  });

  it("ends for the reader after the last byte, and breaks for the writer", () => {
    const ring = Ring.create("pipe");
    ring.put(text("x"), 0, 1);
    ring.closeWriter();
    expect(readSome(ring, 4)).toBe("x");
    expect(ring.input().ready()).toBe(-1);
    expect(readSome(ring, 4)).toBe("");
    ring.closeReader();
    expect(() => ring.output().write(text("y"), 0, 1)).toThrow("EPIPE");
  });

  it("keeps counting when the counters wrap at 2^32", () => {
    const ring = Ring.create("pipe", 16);
    new Int32Array(ring.share.buffer).set([-3, -3]);
    ring.put(text("abcdef"), 0, 6);
    expect(ring.input().ready()).toBe(6);
    expect(readSome(ring, 16)).toBe("abcdef");
  });

  it("asks for input once, when it is first looked at", () => {
    const ring = Ring.create("pipe");
    let asked = 0;
    const input = ring.input(() => (asked += 1));
    expect(asked).toBe(0);
    input.ready();
    input.ready();
    expect(asked).toBe(1);
  });

  it("connects a thread that blocks with one that does not", async () => {
    const [there, back] = [Ring.create("pipe", 64), Ring.create("pipe", 64)];
    const echo = `
      const { workerData: [from, to] } = require("node:worker_threads");
      import(${JSON.stringify(new URL("./ring.ts", import.meta.url).href)}).then(({ Ring }) => {
        const input = new Ring(from).input(), output = new Ring(to).output(), bytes = new Uint8Array(32);
        for (let count; (count = input.read(bytes, 0, 32)) > 0; ) for (let at = 0; at < count; ) at += output.write(bytes, at, count - at);
        output.close();
      });`;
    const worker = new Worker(echo, {
      eval: true,
      workerData: [there.share, back.share],
      execArgv: ["--conditions=@lapstrake/source"],
    });
    const sent = "0123456789".repeat(100);
    const write = there.write(text(sent)).then(() => there.closeWriter());
    let got = "";
    for await (const chunk of back.chunks()) got += new TextDecoder().decode(chunk);
    await write;
    await worker.terminate();
    expect(got).toBe(sent);
  });
});
