// What sockets of guests stand on: handles that bind at once and tell the rest by callbacks. Node's implementation is node/sockets/;
// policy.ts puts the policy before it.
import type { Address, Family } from "./address.ts";

/** A failed call: a code of wasi:sockets' error-code, in the spelling of 0.3. */
export class SocketFailure extends Error {
  readonly code: string;
  constructor(code: string, text: string = code) {
    super(text);
    this.code = code;
  }
}

/** Bytes both ways. */
export interface Connection {
  readonly remote: Address;
  readonly local: Address;
  /** The next bytes; undefined at the end. Rejects with a SocketFailure. One call at a time. */
  read(): Promise<Uint8Array | undefined>;
  /** Resolves when there is room for more. */
  write(bytes: Uint8Array): Promise<void>;
  /** No more will be written; what was is sent. */
  endWrite(): Promise<void>;
  /** No more will be read. */
  endRead(): void;
  /** Keep-alive probes, the first after `idleMs`. */
  keepAlive(enabled: boolean, idleMs: number): void;
  close(): void;
}

/** A socket that is not connected yet; its calls throw SocketFailure. */
export interface TcpHandle {
  bind(address: Address): void;
  /** Where it is bound. */
  local(): Address | undefined;
  connect(address: Address): Promise<Connection>;
  /** Hands each connection to `take`. */
  listen(backlog: number, take: (connection: Connection) => void): void;
  /** What was connected stays. */
  close(): void;
}

/** A datagram from somebody. */
export interface Datagram {
  readonly bytes: Uint8Array;
  readonly from: Address;
}

export interface UdpHandle {
  bind(address: Address): void;
  local(): Address | undefined;
  connect(address: Address): void;
  disconnect(): void;
  /** To `address`, or to the one connected. */
  send(bytes: Uint8Array, address: Address | undefined): Promise<void>;
  /** The next datagram; undefined when none is here. */
  take(): Datagram | undefined;
  /** Called when one has come; replaces the last such call. */
  onArrival(call: () => void): void;
  setHopLimit(hops: number): void;
  close(): void;
}

/** A network as a guest has it. */
export interface SocketNet {
  tcp(family: Family): TcpHandle;
  udp(family: Family): UdpHandle;
  /** Addresses of a name. Rejects with a SocketFailure whose code is one of ip-name-lookup. */
  resolve(name: string): Promise<readonly { readonly family: Family; readonly host: string }[]>;
}
