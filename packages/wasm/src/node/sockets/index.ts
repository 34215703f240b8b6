// The machine's network for guests; always behind a policy.
import { lookup } from "node:dns/promises";
import { errorCode } from "@lapstrake/base";
import { SocketFailure, type SocketNet } from "../../sockets/port.ts";
import { nodeTcp } from "./tcp.ts";
import { nodeUdp } from "./udp.ts";

/** Sockets of this process's network namespace. */
export const nodeSockets: SocketNet = {
  tcp: nodeTcp,
  udp: nodeUdp,
  async resolve(name) {
    try {
      const found = await lookup(name, { all: true, verbatim: true });
      return found.map(({ address, family }) => ({ family: family === 6 ? "ipv6" : "ipv4", host: address }));
    } catch (error) {
      throw new SocketFailure(errorCode(error) === "EAI_AGAIN" ? "temporary-resolver-failure" : "name-unresolvable");
    }
  },
};
