// A UDP socket of Node that lives in another network namespace: made and bound inside, then handed to Node by descriptor.
import { createSocket, type Socket } from "node:dgram";
import { SOCK_DGRAM } from "../sys/net.ts";
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
