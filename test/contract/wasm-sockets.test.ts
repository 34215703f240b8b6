// wasi:sockets 0.2: a component connects where the policy lets it, and nowhere else.
import { createServer, type AddressInfo, type Server } from "node:net";
import { UnionFs } from "@lapstrake/layers";
import { chunkOutput, policySockets, type SocketPolicy } from "@lapstrake/wasm";
import { runComponent } from "@lapstrake/wasm/component";
import { nodeSockets } from "@lapstrake/wasm/node";
import { afterAll, beforeAll, expect, it } from "vitest";
import { socketGuest } from "../support/wasm-socket-guest.ts";

let component: Uint8Array<ArrayBuffer>;
let server: Server;
let port: number;

beforeAll(async () => {
  component = await socketGuest();
  server = createServer((socket) => {
    socket.on("data", (bytes) => socket.end(`${bytes.toString()} ${"pong".repeat(50_000)}`));
    socket.on("error", () => socket.destroy());
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(undefined)));
  port = (server.address() as AddressInfo).port;
});
afterAll(() => void server.close());

async function run(policy: SocketPolicy | undefined, to: number = port): Promise<[number, string]> {
  let out = "";
  const { exitCode } = await runComponent({
    fs: UnionFs.create([]),
    component,
    args: ["client", String(to)],
    sockets: policy && policySockets(policy, nodeSockets),
    stdout: chunkOutput((chunk) => (out += Buffer.from(chunk).toString())),
    limits: { timeoutMs: 20_000 },
  });
  return [exitCode, out];
}

const ACCESS_DENIED = "01";
const CONNECTION_REFUSED = "14";

it("connects, sends and receives to the end", async () => {
  const allow = [{ host: "127.0.0.1", ports: [port], privateAddresses: true }];
  expect(await run({ allow })).toEqual([0, `ping ${"pong".repeat(50_000)}`]);
});

it("is denied without a policy, another port, and an address inside that the rule does not mean", async () => {
  expect(await run(undefined)).toEqual([1, ACCESS_DENIED]);
  expect(await run({ allow: [{ host: "127.0.0.1", privateAddresses: true }] })).toEqual([1, ACCESS_DENIED]);
  expect(await run({ allow: [{ host: "127.0.0.1", ports: [port] }] })).toEqual([1, ACCESS_DENIED]);
});

it("is told that nobody listens", async () => {
  const other = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => other.once("listening", resolve));
  const { port: closed } = other.address() as AddressInfo;
  await new Promise((resolve) => other.close(resolve));
  expect(await run({ allow: [{ host: "127.0.0.1", ports: "any", privateAddresses: true }] }, closed)).toEqual([
    1,
    CONNECTION_REFUSED,
  ]);
});
