// The handles beneath node:net and node:dgram. A guest's bind answers at once, with the port it got; node:net only tells later, so what it
// stands on is used. The one file that knows these names, which Node keeps but does not document.
import { getSystemErrorName } from "node:util";
import type { Address, Family } from "../../sockets/address.ts";
import { SocketFailure } from "../../sockets/port.ts";

interface SockName {
  address?: string;
  port?: number;
}

interface Bound {
  bind(host: string, port: number, flags?: number): number;
  bind6(host: string, port: number, flags: number): number;
  getsockname(into: SockName): number;
  close(): void;
}

export interface RawTcp extends Bound {
  listen(backlog: number): number;
  connect(request: object, host: string, port: number): number;
  connect6(request: object, host: string, port: number): number;
  getpeername(into: SockName): number;
  onconnection?: (status: number, client: RawTcp | undefined) => void;
}

export interface RawUdp extends Bound {
  connect(host: string, port: number): number;
  connect6(host: string, port: number): number;
  disconnect(): number;
  recvStart(): number;
  send(request: object, list: Uint8Array[], count: number, ...rest: unknown[]): number;
  send6(request: object, list: Uint8Array[], count: number, ...rest: unknown[]): number;
  setTTL(hops: number): number;
  unref(): void;
  onmessage?: (count: number, handle: RawUdp, bytes: Uint8Array, from: Required<SockName>) => void;
}

interface TcpBinding {
  readonly TCP: new (kind: number) => RawTcp;
  readonly TCPConnectWrap: new () => { oncomplete?: (status: number) => void };
  readonly constants: { readonly SOCKET: number };
}

interface UdpBinding {
  readonly UDP: new () => RawUdp;
  readonly SendWrap: new () => { oncomplete?: (error: number) => void };
}

const { binding } = process as unknown as { readonly binding: (name: string) => unknown };

export const tcpBinding: TcpBinding = binding.call(process, "tcp_wrap") as TcpBinding;
export const udpBinding: UdpBinding = binding.call(process, "udp_wrap") as UdpBinding;

/** uv's flag for bind: no IPv4 on an IPv6 socket. */
const IPV6_ONLY = 1;

const CODES: Readonly<Record<string, string>> = {
  EACCES: "access-denied",
  EPERM: "access-denied",
  EADDRINUSE: "address-in-use",
  EADDRNOTAVAIL: "address-not-bindable",
  EINVAL: "invalid-argument",
  EAFNOSUPPORT: "not-supported",
  ECONNREFUSED: "connection-refused",
  ECONNRESET: "connection-reset",
  ECONNABORTED: "connection-aborted",
  EPIPE: "connection-broken",
  ETIMEDOUT: "timeout",
  EHOSTUNREACH: "remote-unreachable",
  ENETUNREACH: "remote-unreachable",
  ENETDOWN: "remote-unreachable",
  EMSGSIZE: "datagram-too-large",
  ENOMEM: "out-of-memory",
  ENOBUFS: "out-of-memory",
};

/** What a name of errno(3) is to a guest. */
export function failureOf(name: string): SocketFailure {
  return new SocketFailure(CODES[name] ?? "other", name);
}

/** Throws for what a handle's call answered, if that is an error. */
export function check(status: number): void {
  if (status < 0) throw failureOf(getSystemErrorName(status));
}

/** Binds, and finds out at once whether that went well: uv keeps some errors for later. */
export function bindTo(handle: Bound, { family, host, port }: Address): void {
  check(family === "ipv4" ? handle.bind(host, port, 0) : handle.bind6(host, port, IPV6_ONLY));
  nameOf(handle, family, "getsockname");
}

/** The address of this or the other side. */
export function nameOf<T extends string>(
  handle: Readonly<Record<T, (into: SockName) => number>>,
  family: Family,
  side: T,
): Address {
  const into: SockName = {};
  check(handle[side](into));
  return { family, host: into.address ?? "", port: into.port ?? 0 };
}
