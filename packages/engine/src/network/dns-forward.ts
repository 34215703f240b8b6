// Forwards a query to the host's resolvers, one after the other, each from a fresh socket (a random port is half of what protects
// against forged answers; the checked question is the other half). The keeper's own network namespace is the way out.
import { createSocket } from "node:dgram";
import { connect, isIPv6 } from "node:net";
import { answersQuery, RCODE, type Query } from "./dns-message.ts";

/** A resolver of the host. */
export interface Upstream {
  readonly address: string;
  readonly port: number;
}

/** How long one resolver may take before the next is asked. */
const UPSTREAM_TIMEOUT_MS = 2000;

type Exchange = (bytes: Uint8Array, query: Query, upstream: Upstream, signal: AbortSignal) => Promise<Uint8Array>;

/** One exchange over UDP; rejects on timeout (abort), refusal and unreachable networks. */
const overUdp: Exchange = (bytes, query, { address, port }, signal) => {
  const socket = createSocket(isIPv6(address) ? "udp6" : "udp4");
  return new Promise<Uint8Array>((resolve, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
    socket.on("error", reject);
    socket.on("message", (answer) => {
      if (answersQuery(bytes, query.questionEnd, answer)) resolve(answer);
    });
    // Connected: the kernel hands over only what comes from there, and tells of refusals.
    // (By event: its callback would be called for a failure as well.)
    socket.once("connect", () => socket.send(bytes));
    socket.connect(port, address);
  }).finally(() => socket.close());
};

/** One exchange over TCP: two bytes of length before each message. */
const overTcp: Exchange = (bytes, query, { address, port }, signal) => {
  const socket = connect({ host: address, port });
  return new Promise<Uint8Array>((resolve, reject) => {
    const chunks: Buffer[] = [];
    signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
    socket.on("error", reject).on("end", () => reject(new Error("the resolver hung up")));
    socket.on("data", (chunk) => {
      chunks.push(chunk);
      const all = Buffer.concat(chunks);
      if (all.length < 2 || all.length < 2 + all.readUInt16BE(0)) return;
      const answer = all.subarray(2, 2 + all.readUInt16BE(0));
      if (answersQuery(bytes, query.questionEnd, answer)) resolve(answer);
      else reject(new Error("the resolver answered another question"));
    });
    socket.write(frame(bytes));
  }).finally(() => socket.destroy());
};

/** A message as TCP carries it. */
export function frame(bytes: Uint8Array): Uint8Array {
  return Buffer.concat([Uint8Array.of(bytes.length >> 8, bytes.length & 0xff), bytes]);
}

/** True for an answer that says only that this resolver cannot or will not say. */
function isUnhelpful(answer: Uint8Array): boolean {
  const rcode = answer[3]! & 0xf;
  return rcode === RCODE.serverFailure || rcode === RCODE.refused;
}

/** The first answer that an upstream gives, a failure only when no other knows better; undefined when none answers. `signal` ends the wait. */
export async function forward(
  bytes: Uint8Array,
  query: Query,
  upstreams: readonly Upstream[],
  transport: "udp" | "tcp",
  signal: AbortSignal,
): Promise<Uint8Array | undefined> {
  const exchange = transport === "udp" ? overUdp : overTcp;
  let failure: Uint8Array | undefined;
  for (const upstream of upstreams) {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(UPSTREAM_TIMEOUT_MS)]);
    const answer = await exchange(bytes, query, upstream, limit).catch(() => undefined);
    if (signal.aborted || (answer !== undefined && !isUnhelpful(answer))) return answer;
    failure ??= answer;
  }
  return failure;
}
