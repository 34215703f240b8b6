// Servers of Node whose sockets live in another network namespace: made and bound inside, then handed to Node by descriptor.
import { closeSync } from "node:fs";
import { createSocket, type Socket } from "node:dgram";
import type { Server } from "node:net";
import { errorCode } from "@lapstrake/base";
import { SOCK_DGRAM, SOCK_STREAM } from "../sys/net.ts";
import { openBoundSocket } from "./bound-socket.ts";

/** A bound socket of the namespace `netns` (default here); throws EADDRINUSE and the like before it returns. The caller closes it. */
export function openUdpSocket(address: string, port: number, netns?: number): Promise<Socket> {
  const fd = openBoundSocket({ type: SOCK_DGRAM, address, port, netns });
  const socket = createSocket(address.includes(":") ? "udp6" : "udp4");
  return new Promise((resolve, reject) => {
    socket.once("error", reject);
    socket.bind({ fd }, () => {
      socket.off("error", reject);
      resolve(socket);
    });
  });
}

/** Lets `server` listen inside the namespace `netns` (default here); throws EADDRINUSE and the like. The caller closes it. */
export function listenInNetns(server: Server, address: string, port: number, netns?: number): Promise<void> {
  const fd = openBoundSocket({ type: SOCK_STREAM, address, port, reuseAddress: true, netns });
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ fd }, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

/** True when the namespace (default here) has IPv6 that programs can listen at: docker asks the same way. */
export function canListenIpv6(netns?: number): boolean {
  try {
    closeSync(openBoundSocket({ type: SOCK_STREAM, address: "::1", port: 0, netns }));
    return true;
  } catch (error) {
    if (["EAFNOSUPPORT", "EADDRNOTAVAIL"].includes(errorCode(error) ?? "")) return false;
    throw error;
  }
}
