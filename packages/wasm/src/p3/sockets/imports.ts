// wasi:sockets 0.3 as import objects.
import type { Interface } from "../../p2/host.ts";
import { wasiIp, type WasiIp } from "../../sockets/address.ts";
import type { Preview3Host } from "../host.ts";
import { codedLater } from "./codes.ts";
import { tcpSocketClass } from "./tcp.ts";
import { udpSocketClass } from "./udp.ts";

/** wasi:sockets/*. */
export function socketInterfaces(host: Preview3Host): Record<string, Interface> {
  return {
    "wasi:sockets/types": { TcpSocket: tcpSocketClass(host), UdpSocket: udpSocketClass(host) },
    "wasi:sockets/ip-name-lookup": {
      resolveAddresses: (name: string): Promise<WasiIp[]> =>
        codedLater(async () => {
          const found = await host.sockets.resolve(name);
          return found.map(({ family, host: text }) => wasiIp(family, text));
        }),
    },
  };
}
