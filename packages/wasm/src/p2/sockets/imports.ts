// wasi:sockets 0.2 as import objects, for components whose waits suspend.
import type { Family } from "../../sockets/address.ts";
import type { SocketNet } from "../../sockets/port.ts";
import type { ComponentHost, Interface } from "../host.ts";
import { ResolveAddressStream } from "./lookup.ts";
import { TcpSocket } from "./tcp.ts";
import { IncomingDatagramStream, OutgoingDatagramStream, UdpSocket } from "./udp.ts";

class Network {}

/** wasi:sockets/*. */
export function socketInterfaces2(host: ComponentHost, net: SocketNet): Record<string, Interface> {
  return {
    "wasi:sockets/network": { Network },
    "wasi:sockets/instance-network": { instanceNetwork: () => new Network() },
    "wasi:sockets/ip-name-lookup": {
      resolveAddresses: (_network: unknown, name: string) => new ResolveAddressStream(host, net, name),
      ResolveAddressStream,
    },
    "wasi:sockets/tcp": { TcpSocket },
    "wasi:sockets/tcp-create-socket": { createTcpSocket: (family: Family) => TcpSocket.create(host, net, family) },
    "wasi:sockets/udp": { UdpSocket, IncomingDatagramStream, OutgoingDatagramStream },
    "wasi:sockets/udp-create-socket": { createUdpSocket: (family: Family) => UdpSocket.create(host, net, family) },
  };
}
