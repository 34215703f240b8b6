// Holds a published port of the host, so that no program of the host takes it meanwhile, and tells when one has it. No connection ever
// arrives at the holder: the firewall takes them first.
import { closeSync } from "node:fs";
import { errorCode, LapError } from "@lapstrake/base";
import { kernelSyscalls } from "../sys/kernel.ts";
import { netCall, SOCK_DGRAM, SOCK_STREAM } from "../sys/net.ts";
import { openBoundSocket } from "./bound-socket.ts";
import type { PublishedPort } from "./firewall/types.ts";

/** A held port; whoever keeps a copy of the descriptor holds it. Dispose closes ours. */
export interface PortReservation extends Disposable {
  readonly fd: number;
}

function open(port: PublishedPort, netns: number | undefined): number {
  const tcp = port.protocol === "tcp";
  const type = tcp ? SOCK_STREAM : SOCK_DGRAM;
  const fd = openBoundSocket({ type, address: port.hostIp, port: port.hostPort, reuseAddress: tcp, netns });
  // Two sockets that may reuse an address exclude each other only while one listens.
  if (tcp) netCall(kernelSyscalls(), "listen", fd, 0);
  return fd;
}

/** Reserves a port (an SCTP one has no holder: undefined); throws `ERR_LAP_PORT_IN_USE`, or the bind error (EADDRNOTAVAIL). */
export function reservePort(port: PublishedPort, netns?: number): PortReservation | undefined {
  if (port.protocol === "sctp") return undefined;
  try {
    const fd = open(port, netns);
    return { fd, [Symbol.dispose]: () => closeSync(fd) };
  } catch (error) {
    if (errorCode(error) !== "EADDRINUSE") throw error;
    const where = `${port.hostIp.includes(":") ? `[${port.hostIp}]` : port.hostIp}:${port.hostPort}`;
    const text = `failed to bind host port ${where}/${port.protocol}: address already in use`;
    throw new LapError("conflict", "ERR_LAP_PORT_IN_USE", text, {
      hint: "a program of the host uses it",
      cause: error,
    });
  }
}
