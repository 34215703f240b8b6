// A TCP connection into another network namespace, made by Node's caller without leaving its own: the socket is born inside and handed
// to Node connected.
import { closeSync } from "node:fs";
import { Socket } from "node:net";
import { kernelSyscalls } from "../sys/kernel.ts";
import { AF_INET, AF_INET6, netCall, openSocket, SOCK_STREAM } from "../sys/net.ts";
import { inNetns, openNetns, type NetnsRef } from "./netns.ts";
import { sockaddr } from "./sockaddr.ts";

const SOL_SOCKET = 1;
const SO_SNDTIMEO = 21;
/** connect(2) waits that long where nobody answers; on a namespace's own addresses the answer comes at once. */
const TIMEOUT_SEC = 1n;

/** Connects to `address` as seen inside; throws ECONNREFUSED and the like before it returns. */
export function connectInNetns(netns: NetnsRef, address: string, port: number): Socket {
  const sys = kernelSyscalls();
  const name = sockaddr(address, port);
  using space = openNetns(netns);
  const fd = inNetns(space.fd, () => openSocket(name.length === 16 ? AF_INET : AF_INET6, SOCK_STREAM, 0, sys));
  try {
    const timeout = new BigInt64Array([TIMEOUT_SEC, 0n]);
    netCall(sys, "setsockopt", fd, SOL_SOCKET, SO_SNDTIMEO, new Uint8Array(timeout.buffer), 16);
    netCall(sys, "connect", fd, name, name.length);
    return new Socket({ fd, readable: true, writable: true });
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}
