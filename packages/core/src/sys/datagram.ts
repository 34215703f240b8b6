// A datagram socket of unix(7), which Node has none of: connected, never waiting.
import { closeSync } from "node:fs";
import { ERRNO, systemError } from "@lapstrake/base";
import { kernelSyscalls } from "./kernel.ts";
import { netCall, openSocket, SOCK_DGRAM } from "./net.ts";

const AF_UNIX = 1;
const SOL_SOCKET = 1;
const SO_SNDBUF = 7;
const SEND_BYTES = 8 * 1024 * 1024;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;

/** Where datagrams go. */
export interface DatagramSocket extends Disposable {
  /** False when the receiver takes no more at the moment. Throws Node-shaped errors: EMSGSIZE, ECONNREFUSED when nobody listens any more. */
  send(bytes: Uint8Array): boolean;
}

/** Connects to the datagram socket at `path` (at most 107 bytes). Throws Node-shaped errors: ENOENT, ECONNREFUSED. */
export function connectDatagram(path: string): DatagramSocket {
  const fd = openSocket(AF_UNIX, SOCK_DGRAM, 0);
  try {
    // As much as the kernel allows: a datagram is no larger than the buffer.
    kernelSyscalls().call("setsockopt", fd, SOL_SOCKET, SO_SNDBUF, Buffer.from(Int32Array.of(SEND_BYTES).buffer), 4);
    const address = Buffer.from(`\u0001\0${path}\0`, "latin1");
    netCall(kernelSyscalls(), "connect", fd, address, address.length);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  return {
    send: (bytes) => sent(fd, bytes, path),
    [Symbol.dispose]: () => closeSync(fd),
  };
}

function sent(fd: number, bytes: Uint8Array, path: string): boolean {
  for (;;) {
    const ret = kernelSyscalls().call("sendto", fd, bytes, bytes.length, MSG_DONTWAIT | MSG_NOSIGNAL, 0, 0);
    if (ret >= 0) return true;
    if (ret === -ERRNO.EAGAIN) return false;
    if (ret !== -ERRNO.EINTR) throw systemError(-ret, "sendto", path);
  }
}
