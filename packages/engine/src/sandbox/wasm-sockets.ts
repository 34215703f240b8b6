// Sockets of a Wasm container's guest: to the hosts that it may send requests to, and on the ports that are published or exposed. Loaded by
// containers that are on a network only.
import { policySockets, type SocketNet } from "@lapstrake/wasm";
import { nodeSockets } from "@lapstrake/wasm/node";
import type { ContainerRecord } from "../state/record.ts";
import { servingPorts } from "./wasm-network.ts";
import { parseAllow } from "./wasm-secrets.ts";

/** The network of the payload's namespace, as far as the guest may use it. */
export function socketsOf(record: ContainerRecord): SocketNet {
  const allow = (record.request.guestHttp?.allow ?? []).map(parseAllow);
  return policySockets({ allow, listen: servingPorts(record) }, nodeSockets);
}
