// Sockets made and bound inside a network namespace, as descriptors: for reserving ports and for servers that Node goes on with.
import { closeSync } from "node:fs";
import { kernelSyscalls } from "../sys/kernel.ts";
import { AF_INET, AF_INET6, netCall, openSocket } from "../sys/net.ts";
import { u32 } from "./netlink/attrs.ts";
import { inNetns } from "./netns.ts";
import { sockaddr } from "./sockaddr.ts";

const SOL_SOCKET = 1;
const SO_REUSEADDR = 2;
const IPPROTO_IPV6 = 41;
const IPV6_V6ONLY = 26;

/** How to make one. */
export interface BoundSocketSpec {
  readonly type: number;
  readonly address: string;
  readonly port: number;
  readonly reuseAddress?: boolean;
  readonly netns?: number | undefined;
}

/** The descriptor of a new bound socket; throws EADDRINUSE, EADDRNOTAVAIL … An IPv6 one is for IPv6 only. */
export function openBoundSocket(spec: BoundSocketSpec): number {
  const sys = kernelSyscalls();
  const name = sockaddr(spec.address, spec.port);
  const family = name.length === 16 ? AF_INET : AF_INET6;
  const fd = inNetns(spec.netns, () => openSocket(family, spec.type, 0, sys));
  try {
    if (family === AF_INET6) netCall(sys, "setsockopt", fd, IPPROTO_IPV6, IPV6_V6ONLY, u32(1), 4);
    if (spec.reuseAddress === true) netCall(sys, "setsockopt", fd, SOL_SOCKET, SO_REUSEADDR, u32(1), 4);
    netCall(sys, "bind", fd, name, name.length);
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}
