// Brings UDP datagrams to a published port where the kernel's translation cannot, as tcp-proxy.ts brings connections: a socket for every
// client, so that answers find their way back. Lives in the keeper.
import { createSocket, type Socket } from "node:dgram";
import { openUdpSocket, type PublishedPort } from "@lapstrake/core";
import type { PortProxy } from "./tcp-proxy.ts";

/** A client that is silent for so long is forgotten: docker's value. */
const IDLE_MS = 90_000;
/** Each is a descriptor of the keeper; whoever comes beyond takes the place of the oldest. */
const MAX_CLIENTS = 512;

interface Client {
  readonly socket: Socket;
  readonly timer: NodeJS.Timeout;
}

/** The clients of one port, the oldest first. */
class Clients implements Disposable {
  readonly #port: PublishedPort;
  readonly #answer: (bytes: Uint8Array, port: number, address: string) => void;
  readonly #known = new Map<string, Client>();

  constructor(port: PublishedPort, answer: (bytes: Uint8Array, port: number, address: string) => void) {
    this.#port = port;
    this.#answer = answer;
  }

  send(bytes: Uint8Array, port: number, address: string): void {
    const key = `${address} ${port}`;
    const client = this.#known.get(key) ?? this.#welcome(key, port, address);
    client.timer.refresh();
    // What cannot be sent is a lost datagram, as on any network.
    client.socket.send(bytes, this.#port.port, this.#port.address, () => undefined);
  }

  #welcome(key: string, port: number, address: string): Client {
    const oldest = this.#known.size < MAX_CLIENTS ? undefined : this.#known.keys().next().value;
    if (oldest !== undefined) this.#forget(oldest);
    const socket = createSocket(this.#port.address.includes(":") ? "udp6" : "udp4");
    const timer = setTimeout(() => this.#forget(key), IDLE_MS).unref();
    const client = { socket, timer };
    this.#known.set(key, client);
    socket.on("error", () => this.#forget(key, client));
    socket.on("message", (bytes, from) => {
      if (from.address !== this.#port.address || from.port !== this.#port.port) return;
      timer.refresh();
      this.#answer(bytes, port, address);
    });
    return client;
  }

  #forget(key: string, only?: Client): void {
    const client = this.#known.get(key);
    if (client === undefined || (only !== undefined && client !== only)) return;
    this.#known.delete(key);
    clearTimeout(client.timer);
    client.socket.close();
  }

  [Symbol.dispose](): void {
    for (const key of [...this.#known.keys()]) this.#forget(key);
  }
}

/** Starts the proxy of a port; throws EADDRINUSE and the like. `netns` is the host's namespace. */
export async function startUdpProxy(port: PublishedPort, netns?: number): Promise<PortProxy> {
  const server = await openUdpSocket(port.hostIp, port.hostPort, netns);
  // Errors of earlier sends arrive here; each concerns one client that is gone.
  server.on("error", () => undefined);
  const clients = new Clients(port, (bytes, to, address) => server.send(bytes, to, address, () => undefined));
  server.on("message", (bytes, from) => clients.send(bytes, from.port, from.address));
  return {
    port,
    [Symbol.asyncDispose]: () => {
      clients[Symbol.dispose]();
      return new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
