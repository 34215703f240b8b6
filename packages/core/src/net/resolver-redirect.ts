// The resolver address inside a container: 127.0.0.11 port 53 leads to a socket of the keeper on another port, so that a program
// of the container may have port 53 for itself, wildcard address included. A table of ours in the container's own namespace.
import { u16be } from "./netlink/attrs.ts";
import type { Request } from "./netlink/message.ts";
import { parseIp } from "./address.ts";
import { openNetns, type NetnsRef } from "./netns.ts";
import { FAMILY } from "./nft/constants.ts";
import { cmp, dnat, immediate, meta, payload, type Expr } from "./nft/expr.ts";
import { Nft } from "./nft/nft.ts";
import { deleteTable, newChain, newRule, newTable } from "./nft/objects.ts";

/** Where programs of a container ask. */
export const RESOLVER_ADDRESS = "127.0.0.11";

const TABLE = "lapstrake";
const DNS_PORT = 53;
const PROTOCOLS = { udp: 17, tcp: 6 } as const;
const DSTNAT = -100;

/** Ports of the keeper's sockets on {@link RESOLVER_ADDRESS} inside the namespace. */
export interface ResolverPorts {
  readonly udp: number;
  readonly tcp: number;
}

function redirect(protocol: keyof typeof PROTOCOLS, port: number): Request {
  const exprs: Expr[] = [
    payload("network", 16, 4, 0),
    cmp("eq", 0, parseIp(RESOLVER_ADDRESS)),
    meta("l4proto", 0),
    cmp("eq", 0, Uint8Array.of(PROTOCOLS[protocol])),
    payload("transport", 2, 2, 0),
    cmp("eq", 0, u16be(DNS_PORT)),
    immediate(0, parseIp(RESOLVER_ADDRESS)),
    immediate(1, u16be(port)),
    dnat(FAMILY.ip, 0, 1),
  ];
  return newRule("ip", TABLE, "output", `names over ${protocol}`, exprs);
}

function requests(ports: ResolverPorts): Request[] {
  return [
    newTable("ip", TABLE, "lapstrake resolver"),
    newChain("ip", TABLE, { name: "output", hook: { type: "nat", on: "output", priority: DSTNAT } }),
    redirect("udp", ports.udp),
    redirect("tcp", ports.tcp),
  ];
}

/** Leads the resolver address of a namespace to `ports`, in place of where it led before. */
export function redirectResolver(ref: NetnsRef, ports: ResolverPorts): void {
  using netns = openNetns(ref);
  using nft = new Nft({ netns: netns.fd });
  const old = nft.table("ip", TABLE) === undefined ? [] : [deleteTable("ip", TABLE)];
  nft.commit([...old, ...requests(ports)]);
}
