// wasi:sockets 0.2 for a guest without network: sockets cannot be made, names do not resolve.
import type { Interface } from "./host.ts";

class Network {}
class TcpSocket {}
class UdpSocket {}
class IncomingDatagramStream {}
class OutgoingDatagramStream {}
class ResolveAddressStream {}

function denied(): never {
  throw "access-denied";
}

/** wasi:sockets/*. */
export const SOCKET_INTERFACES: Record<string, Interface> = {
  "wasi:sockets/network": { Network },
  "wasi:sockets/instance-network": { instanceNetwork: () => new Network() },
  "wasi:sockets/ip-name-lookup": { resolveAddresses: denied, ResolveAddressStream },
  "wasi:sockets/tcp": { TcpSocket },
  "wasi:sockets/tcp-create-socket": { createTcpSocket: denied },
  "wasi:sockets/udp": { UdpSocket, IncomingDatagramStream, OutgoingDatagramStream },
  "wasi:sockets/udp-create-socket": { createUdpSocket: denied },
};
