// sock_*: preview1 can only use sockets that it is given, and a guest of ours is given none; so every valid descriptor is
// something else than a socket.
import { WASI } from "./abi.ts";
import type { Guest, HostFunctions } from "./guest.ts";

/** Host calls on sockets. */
export function sockCalls(guest: Guest): HostFunctions {
  const notSocket = (fd: number): number => {
    guest.fds.get(fd);
    return WASI.ENOTSOCK;
  };
  return { sock_accept: notSocket, sock_recv: notSocket, sock_send: notSocket, sock_shutdown: notSocket };
}
