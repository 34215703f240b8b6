// What a component that answers requests says when it cannot: 503 when it has as many as it may, 504 when one took longer than it may.
import { createServer, request, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { UnionFs } from "@lapstrake/layers";
import { Interrupt, REASON, policySend, type WasmExit, type WasmLimits } from "@lapstrake/wasm";
import { nodeTransport, runCommand } from "@lapstrake/wasm/node";
import { beforeAll, expect, it } from "vitest";
import { until } from "../support/until.ts";
import { httpGuests } from "../support/wasm-http-guests.ts";

let guests: Awaited<ReturnType<typeof httpGuests>>;
beforeAll(async () => {
  guests = await httpGuests();
});

interface Served extends AsyncDisposable {
  readonly port: number;
  readonly errors: unknown[];
  readonly exit: Promise<WasmExit>;
}

/** Serves a guest in this process until it is disposed. */
async function serve(bytes: Uint8Array, limits: WasmLimits, upstream = 0): Promise<Served> {
  const interrupt = new Interrupt();
  const errors: unknown[] = [];
  const listening = Promise.withResolvers<number>();
  const rule = { host: "127.0.0.1", ports: [upstream], privateAddresses: true };
  const exit = runCommand({
    fs: UnionFs.create([]),
    program: new Uint8Array(bytes),
    args: ["guest"],
    limits,
    interrupt,
    http: policySend({ allow: [rule] }, nodeTransport),
    serving: {
      ports: [0],
      graceMs: 5000,
      onListening: ([port = 0]) => listening.resolve(port),
      onError: (error) => errors.push(error),
    },
  });
  const port = await Promise.race([listening.promise, exit.then(() => 0)]);
  return {
    port,
    errors,
    exit,
    async [Symbol.asyncDispose]() {
      interrupt.raise(REASON.signal + 15);
      await exit;
    },
  };
}

async function get(port: number, path = "/"): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { headers: { connection: "close" } });
  await response.arrayBuffer();
  return response.status;
}

it("503 while it has as many requests as --limit processes says", async () => {
  await using served = await serve(guests.echo, { processes: 1 });
  const held = request({ port: served.port, host: "127.0.0.1", method: "POST", agent: false });
  const answer = new Promise<IncomingMessage>((resolve) => void held.once("response", resolve));
  held.write("begun");
  expect((await answer).statusCode).toBe(201);
  const busy = await fetch(`http://127.0.0.1:${served.port}/`, { headers: { connection: "close" } });
  expect([busy.status, busy.headers.get("retry-after")]).toEqual([503, "1"]);
  held.end(" and done");
  let text = "";
  for await (const chunk of await answer) text += String(chunk);
  expect(text).toBe("begun and done");
  await until("it takes requests again", async () => (await get(served.port)) === 201);
});

it("504 when the answer takes longer than --limit timeout, and the next one is served", async () => {
  let calls = 0;
  const upstream = createServer((_request, response) => {
    calls += 1;
    if (calls > 1) response.writeHead(204).end();
  }).listen(0, "127.0.0.1");
  await new Promise((resolve) => void upstream.once("listening", resolve));
  const { port } = upstream.address() as AddressInfo;
  try {
    await using served = await serve(guests.send, { timeoutMs: 1500 }, port);
    expect(await get(served.port, `/127.0.0.1:${port}`)).toBe(504);
    expect(served.errors.length).toBeGreaterThan(0);
    // On a busy machine a request that is answered may take as long.
    await until("a request is answered", async () => (await get(served.port, `/127.0.0.1:${port}`)) === 204);
  } finally {
    upstream.closeAllConnections();
    upstream.close();
  }
});
