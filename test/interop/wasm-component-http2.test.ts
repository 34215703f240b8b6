// wasi:http 0.2 without any toolchain: a guest in text form that echoes bodies, and one that leaves its answer half.
import { UnionFs } from "@lapstrake/layers";
import type { HttpBody, HttpRequest, HttpResponse } from "@lapstrake/wasm";
import { openHttpComponent, type HttpComponent } from "@lapstrake/wasm/component";
import { describe, expect, it } from "vitest";
import { echoGuest } from "../support/wasm-http-guests.ts";

async function open(...parts: Parameters<typeof echoGuest>): Promise<HttpComponent> {
  const component = await echoGuest(...parts);
  return openHttpComponent({ fs: UnionFs.create([]), component, args: ["guest"], limits: { timeoutMs: 10_000 } });
}

function bodyOf(chunks: readonly Uint8Array[]): HttpBody {
  async function* values(): AsyncGenerator<Uint8Array> {
    yield* chunks;
  }
  return { chunks: values(), trailers: Promise.resolve(undefined) };
}

function post(body: HttpBody | undefined): HttpRequest {
  return { method: "POST", scheme: "http", authority: "guest", pathWithQuery: "/", headers: [], body };
}

async function bytesOf(response: HttpResponse): Promise<number[]> {
  const lengths: number[] = [];
  for await (const chunk of response.body?.chunks ?? []) lengths.push(chunk.length);
  return lengths;
}

describe("a 0.2 component that answers requests", () => {
  it("streams a body through, larger than what waits in between", async () => {
    using component = await open("");
    const chunks = Array.from({ length: 40 }, (_, index) => new Uint8Array(10_000).fill(index));
    const response = await component.handle(post(bodyOf(chunks)));
    expect(response.status).toBe(201);
    const lengths = await bytesOf(response);
    expect(lengths.reduce((sum, length) => sum + length, 0)).toBe(400_000);
  });

  it("answers requests without a body, several at the same time", async () => {
    using component = await open("");
    const answers = await Promise.all([1, 2, 3].map(() => component.handle(post(undefined))));
    expect(await Promise.all(answers.map((answer) => bytesOf(answer)))).toEqual([[], [], []]);
  });

  it("fails a body that the guest never finished", async () => {
    using component = await open("", "");
    const response = await component.handle(post(undefined));
    await expect(bytesOf(response)).rejects.toMatchObject({ tag: "internal-error" });
  });

  it("fails a request whose guest traps before it answers", async () => {
    using component = await open("(unreachable)");
    await expect(component.handle(post(undefined))).rejects.toThrow(/unreachable/);
  });
});
