// The proxies of published ports, without root: on an ephemeral port of 127.0.0.1 in the test's own namespace.
import { createSocket, type Socket } from "node:dgram";
import { connect, createServer, type AddressInfo, type Server } from "node:net";
import { buffer, text } from "node:stream/consumers";
import { afterEach, beforeEach, expect, test } from "vitest";
import { startTcpProxy, startUdpProxy } from "@lapstrake/engine";

let server: Server;
let received: Promise<Buffer>;

beforeEach(async () => {
  let arrive: (bytes: Promise<Buffer>) => void;
  received = new Promise((resolve) => (arrive = resolve));
  server = createServer({ allowHalfOpen: true }, (socket) => {
    arrive(buffer(socket));
    socket.on("end", () => socket.end("after your end"));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});
afterEach(() => server.close());

/** A free port: bound and let go. */
async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, "127.0.0.1", resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

const target = (hostPort: number): Parameters<typeof startTcpProxy>[0] => {
  const { port } = server.address() as AddressInfo;
  return { owner: "o", protocol: "tcp", hostIp: "127.0.0.1", hostPort, address: "127.0.0.1", port };
};

test("bytes pass both ways and an end in one direction leaves the other open", async () => {
  const hostPort = await freePort();
  await using _proxy = await startTcpProxy(target(hostPort));
  const client = connect({ host: "127.0.0.1", port: hostPort, allowHalfOpen: true });
  client.end(Buffer.alloc(300_000, 7));
  expect(await text(client)).toBe("after your end");
  expect((await received).equals(Buffer.alloc(300_000, 7))).toBe(true);
});

test("a dead target closes the client, and a stopped proxy refuses", async () => {
  const hostPort = await freePort();
  const proxy = await startTcpProxy({ ...target(hostPort), port: await freePort() });
  const closed = (): Promise<string> =>
    new Promise((resolve) => {
      const client = connect({ host: "127.0.0.1", port: hostPort });
      client
        .on("close", () => resolve("closed"))
        .on("error", (error) => resolve((error as NodeJS.ErrnoException).code ?? ""));
      client.resume();
    });
  expect(await closed()).toMatch(/^(?:closed|ECONNRESET)$/);
  await proxy[Symbol.asyncDispose]();
  expect(await closed()).toBe("ECONNREFUSED");
});

/** A socket bound to a port of `host`. */
async function bound(host: string): Promise<Socket> {
  const socket = createSocket(host.includes(":") ? "udp6" : "udp4");
  await new Promise<void>((resolve) => socket.bind(0, host, resolve));
  return socket;
}

test("datagrams from IPv6 reach a server that has IPv4, and answers the client that asked", async () => {
  const echo = await bound("127.0.0.1");
  echo.on("message", (bytes, from) => echo.send(`${String(bytes)} of ${from.address}`, from.port, from.address));
  const probe = await bound("::1");
  const hostPort = probe.address().port;
  await new Promise<void>((resolve) => probe.close(resolve));
  const port = echo.address().port;
  const target = { owner: "o", protocol: "udp", hostIp: "::1", hostPort, address: "127.0.0.1", port } as const;
  const clients = await Promise.all([bound("::1"), bound("::1")]);
  const ask = (client: Socket, text: string): Promise<string> =>
    new Promise((resolve) => {
      client.once("message", (bytes) => resolve(String(bytes)));
      client.send(text, hostPort, "::1");
    });
  {
    await using _proxy = await startUdpProxy(target);
    const asked = clients.map((client, index) => ask(client, `question ${index}`));
    expect(await Promise.all(asked)).toEqual(["question 0 of 127.0.0.1", "question 1 of 127.0.0.1"]);
    expect(await ask(clients[0]!, "again")).toBe("again of 127.0.0.1");
  }
  for (const socket of [echo, ...clients]) socket.close();
});
