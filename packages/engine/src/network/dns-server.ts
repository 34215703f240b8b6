// The resolver of one container: sockets inside its network namespace on 127.0.0.11, answers from the zones of its networks, the rest
// forwarded from the host. Lives in the keeper; one per container on user networks.
import type { Socket as UdpSocket } from "node:dgram";
import { createServer, type Server, type Socket } from "node:net";
import {
  listenInNetns,
  openNetns,
  openUdpSocket,
  raiseLoopback,
  redirectResolver,
  RESOLVER_ADDRESS,
  type NetnsRef,
} from "@lapstrake/core";
import { forward, frame, type Upstream } from "./dns-forward.ts";
import { encodeFailure, MAX_UDP, RCODE } from "./dns-message.ts";
import { decide } from "./dns-policy.ts";
import type { Zone } from "./dns-zone.ts";

/** What the resolver asks of whoever knows the networks; read anew for every query. */
export interface DnsSource {
  zones(): readonly Zone[];
  /** False when every network of the container is internal. */
  forwards(): boolean;
  upstreams(): readonly Upstream[];
}

/** A running resolver. */
export interface DnsServer extends AsyncDisposable {
  /** Port on 127.0.0.11 inside, for UDP and for TCP. */
  readonly ports: { readonly udp: number; readonly tcp: number };
}

const MAX_TCP = 65_535;
/** Each is a descriptor of the keeper. */
const MAX_WAITING = 256;
const MAX_TCP_CONNECTIONS = 64;
const TCP_IDLE_MS = 10_000;

/** One container's answers, without sockets. */
class Answerer {
  readonly #source: DnsSource;
  readonly #stop = new AbortController();
  #turn = 0;
  #waiting = 0;

  constructor(source: DnsSource) {
    this.#source = source;
  }

  /** The reply to a message; undefined for what deserves none. */
  async answer(bytes: Uint8Array, transport: "udp" | "tcp"): Promise<Uint8Array | undefined> {
    const context = {
      zones: this.#source.zones(),
      forwards: this.#source.forwards(),
      maxBytes: transport === "udp" ? MAX_UDP : MAX_TCP,
      turn: this.#turn++,
    };
    const action = decide(bytes, context);
    if (action?.kind !== "forward") return action?.bytes;
    const answer = this.#waiting < MAX_WAITING ? await this.#forward(bytes, action.query, transport) : undefined;
    return answer ?? encodeFailure(bytes, RCODE.serverFailure, action.query);
  }

  async #forward(
    bytes: Uint8Array,
    query: Parameters<typeof forward>[1],
    transport: "udp" | "tcp",
  ): Promise<Uint8Array | undefined> {
    this.#waiting++;
    try {
      return await forward(bytes, query, this.#source.upstreams(), transport, this.#stop.signal);
    } finally {
      this.#waiting--;
    }
  }

  stop(): void {
    this.#stop.abort();
  }
}

function serveUdp(socket: UdpSocket, answerer: Answerer): void {
  socket.on("message", (bytes, from) => {
    // Copied: Node reuses the buffer while an answer is awaited.
    void answerer.answer(Uint8Array.from(bytes), "udp").then((reply) => {
      // A send that fails (the container is gone, its queue is full) is a lost datagram, as on any network.
      if (reply !== undefined) socket.send(reply, from.port, from.address, () => undefined);
    });
  });
  // Errors of earlier sends arrive here; each concerns one client that is gone.
  socket.on("error", () => undefined);
}

/** The messages of a connection, without their lengths. */
async function* messages(socket: Socket): AsyncGenerator<Uint8Array> {
  let pending = Buffer.alloc(0);
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    pending = Buffer.concat([pending, chunk]);
    while (pending.length >= 2 && pending.length >= 2 + pending.readUInt16BE(0)) {
      const end = 2 + pending.readUInt16BE(0);
      yield Uint8Array.from(pending.subarray(2, end));
      pending = pending.subarray(end);
    }
  }
}

/** Resolves when a socket takes more, or is gone. */
function drained(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.once("drain", resolve);
    socket.once("close", () => resolve());
  });
}

async function serveConnection(socket: Socket, answerer: Answerer): Promise<void> {
  socket.setTimeout(TCP_IDLE_MS, () => socket.destroy());
  for await (const message of messages(socket)) {
    const reply = await answerer.answer(message, "tcp");
    if (reply === undefined) break;
    // Whoever asks and does not read is asked nothing more of; the idle timeout ends it.
    if (!socket.write(frame(reply))) await drained(socket);
  }
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

/** Starts the resolver of the container that lives in `ref` and leads its 127.0.0.11 port 53 there; dispose stops it. */
export async function startDns(ref: NetnsRef, source: DnsSource): Promise<DnsServer> {
  using netns = openNetns(ref);
  // The container may be on its way up still: with no device up, bind(2) takes the address for a broadcast one, and answers leave from another.
  raiseLoopback({ fd: netns.fd });
  await using held = new AsyncDisposableStack();
  const answerer = new Answerer(source);
  held.defer(() => answerer.stop());
  const udp = await openUdpSocket(RESOLVER_ADDRESS, 0, netns.fd);
  held.defer(() => new Promise<void>((resolve) => udp.close(() => resolve())));
  const connections = new Set<Socket>();
  const tcp = createServer((socket) => {
    connections.add(socket);
    socket.on("close", () => connections.delete(socket));
    // A connection that breaks concerns its client only.
    serveConnection(socket, answerer).then(
      () => socket.end(),
      () => socket.destroy(),
    );
  });
  tcp.maxConnections = MAX_TCP_CONNECTIONS;
  await listenInNetns(tcp, RESOLVER_ADDRESS, 0, netns.fd);
  held.defer(() => {
    for (const socket of connections) socket.destroy();
    return new Promise<void>((resolve) => tcp.close(() => resolve()));
  });
  serveUdp(udp, answerer);
  const ports = { udp: udp.address().port, tcp: portOf(tcp) };
  redirectResolver({ fd: netns.fd }, ports);
  const owned = held.move();
  return { ports, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}
