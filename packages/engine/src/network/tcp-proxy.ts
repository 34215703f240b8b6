// Brings TCP connections to a published port where the kernel's translation cannot: to [::1], and in IPv6 to a container that has IPv4
// only. The listening socket is at the same time what reserves the port. Lives in the keeper; the container sees the machine as client.
import { connect, createServer, type Socket } from "node:net";
import { listenInNetns, type PublishedPort } from "@lapstrake/core";

const CONNECT_TIMEOUT_MS = 10_000;

/** A running proxy; dispose closes it and its connections. */
export interface PortProxy extends AsyncDisposable {
  readonly port: PublishedPort;
}

/** Joins two sockets; when one side ends or breaks, so does the other. */
function join(inner: Socket, outer: Socket): void {
  inner.pipe(outer);
  outer.pipe(inner);
  for (const [one, other] of [
    [inner, outer],
    [outer, inner],
  ] as const) {
    one.on("error", () => other.destroy());
    one.on("close", () => other.destroy());
  }
}

/** Starts the proxy of a port; throws EADDRINUSE and the like. `netns` is the host's namespace. */
export async function startTcpProxy(port: PublishedPort, netns?: number): Promise<PortProxy> {
  const sockets = new Set<Socket>();
  const track = (socket: Socket): Socket => sockets.add(socket) && socket.on("close", () => sockets.delete(socket));
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) => {
    track(socket);
    const target = track(
      connect({ host: port.address, port: port.port, allowHalfOpen: true, timeout: CONNECT_TIMEOUT_MS }),
    );
    target.on("timeout", () => target.destroy());
    target.on("connect", () => target.setTimeout(0));
    join(socket, target);
    socket.resume();
  });
  await listenInNetns(server, port.hostIp, port.hostPort, netns);
  return {
    port,
    [Symbol.asyncDispose]: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
