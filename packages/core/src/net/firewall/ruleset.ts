// Our table of one family: sets, maps, chains and rules. The rules never change with containers; only elements of the sets do,
// so that publishing a port costs the same with one container and with a thousand. Pure. Drawn in the README beside.
import { parseIp } from "../address.ts";
import { u32 } from "../netlink/attrs.ts";
import type { Request } from "../netlink/message.ts";
import { FAMILY } from "../nft/constants.ts";
import * as E from "../nft/expr.ts";
import type { Expr } from "../nft/expr.ts";
import { newChain, newRule, newSet, newTable, type Chain, type Family, type NftSet } from "../nft/objects.ts";
import { REINJECT_HOP, REINJECT_IN, TABLE } from "./names.ts";
import type { InputPolicy } from "./types.ts";

/** One rule: its chain, the comment that identifies it, what it does. */
export interface Rule {
  readonly chain: string;
  readonly comment: string;
  readonly exprs: readonly Expr[];
}

/** What a ruleset depends on beside its family. */
export interface RulesetOptions {
  readonly input: InputPolicy;
  /** Index of the device that copies leave by; needed to respect input chains. */
  readonly reinjectLink: number;
}

/** The sets and maps. */
export const SETS = {
  /** Bridges of ours. */
  bridges: "bridges",
  /** Bridges without a way out. */
  internal: "internal",
  /** Bridges whose traffic hides behind the host. */
  outbound: "outbound",
  /** Pairs of a bridge and itself. */
  within: "within",
  /** Address, protocol and port of the host → address and port of the container. */
  published: "published",
  /** The same for any address of the host. */
  publishedAny: "published-any",
  /** The keys of `published`: a condition that nft(8) can print and load again cannot ask a map. */
  ports: "ports",
  portsAny: "ports-any",
  /** Published addresses, each paired with itself. */
  self: "self",
} as const;

const RTN_LOCAL = 2;
// afterAll: behind every chain of the host, yet before conntrack confirms the connection (INT_MAX, in IPv6 one less).
const PRIORITY = { raw: -300, dstnat: -100, filter: 0, srcnat: 100, afterAll: 0x7ffffffd } as const;

const CHAINS: readonly Chain[] = [
  { name: "published" },
  { name: "guard", hook: { type: "filter", on: "prerouting", priority: PRIORITY.raw } },
  { name: "prerouting", hook: { type: "nat", on: "prerouting", priority: PRIORITY.dstnat } },
  { name: "output", hook: { type: "nat", on: "output", priority: PRIORITY.dstnat } },
  { name: "input", hook: { type: "filter", on: "input", priority: PRIORITY.afterAll } },
  { name: "forward", hook: { type: "filter", on: "forward", priority: PRIORITY.filter } },
  { name: "postrouting", hook: { type: "nat", on: "postrouting", priority: PRIORITY.srcnat } },
];

/** The sets and maps of a family. */
export function setsOf(family: Family): NftSet[] {
  const address = family === "ip" ? "ipv4_addr" : "ipv6_addr";
  const data = [address, "inet_service"] as const;
  const any = ["inet_proto", "inet_service"] as const;
  return [
    { name: SETS.bridges, key: ["ifname"] },
    { name: SETS.internal, key: ["ifname"] },
    { name: SETS.outbound, key: ["ifname"] },
    { name: SETS.within, key: ["ifname", "ifname"] },
    { name: SETS.published, key: [address, ...any], data },
    { name: SETS.publishedAny, key: any, data },
    { name: SETS.ports, key: [address, ...any] },
    { name: SETS.portsAny, key: any },
    { name: SETS.self, key: [address, address] },
  ];
}

type Direction = "iifname" | "oifname";

function named(direction: Direction, set: string, inverse = false): Expr[] {
  return [E.meta(direction, 0), E.inSet(set, 0, inverse)];
}

function device(direction: Direction, op: "eq" | "neq", name: string): Expr[] {
  return [E.meta(direction, 0), E.cmp(op, 0, E.ifnameBytes(name))];
}

function withinOneBridge(): Expr[] {
  return [E.meta("iifname", 0), E.meta("oifname", 4), E.inSet(SETS.within, 0)];
}

function toOurselves(): Expr[] {
  return [E.fibDaddrType(0), E.cmp("eq", 0, E.hostWord(RTN_LOCAL))];
}

function ctHas(key: "state" | "status", bits: number): Expr[] {
  return [E.ct(key, 0), E.mask(0, 0, E.hostWord(bits)), E.cmp("neq", 0, E.hostWord(0))];
}

function loopbackAddress(where: "saddr" | "daddr"): Expr[] {
  // 127.0.0.0/8: the first byte decides.
  return [E.payload("network", where === "saddr" ? 12 : 16, 1, 0), E.cmp("eq", 0, Uint8Array.of(127))];
}

/** IPv6 has no route_localnet: what comes back to ::1 is dropped, so a connection to it is left to a proxy. */
function notLoopback6(family: Family): Expr[] {
  return family === "ip" ? [] : [E.payload("network", 24, 16, 0), E.cmp("neq", 0, parseIp("::1"))];
}

/** Loads the key of a published port: the address unless any will do, the protocol, the port. */
function portKey(family: Family, any: boolean): Expr[] {
  const bytes = family === "ip" ? 4 : 16;
  const words = any ? 0 : bytes / 4;
  const address = any ? [] : [E.payload("network", family === "ip" ? 16 : 24, bytes, 0)];
  return [...address, E.meta("l4proto", words), E.payload("transport", 2, 2, words + 1)];
}

function translate(family: Family, any: boolean): Expr[] {
  const target = E.mapValue(any ? SETS.publishedAny : SETS.published, 0, 0);
  return [...portKey(family, any), target, E.dnat(FAMILY[family], 0, family === "ip" ? 1 : 4)];
}

/** The host's own input chains let this new connection to a published port pass: send it round again, to be translated. */
function reinject(family: Family, any: boolean, link: number): Expr[] {
  const isNew = [
    ...ctHas("state", E.CT_STATE.new),
    ...device("iifname", "neq", "lo"),
    ...named("iifname", SETS.bridges, true),
  ];
  const send = [E.immediate(0, parseIp(REINJECT_HOP[family])), E.immediate(4, u32(link)), E.dup(0, 4)];
  const isPublished = [...portKey(family, any), E.inSet(any ? SETS.portsAny : SETS.ports, 0)];
  return [...isNew, ...toOurselves(), ...isPublished, E.counter(), ...send, E.verdict("drop")];
}

/** The kernel marks copies as not to be fragmented, but what they copy may have to be, where a bridge has a smaller MTU. */
function mayFragment(): Expr[] {
  const [flagsAt, allButDf] = [6, Uint8Array.of(0xbf, 0xff)];
  const clear = [E.payload("network", flagsAt, 2, 0), E.mask(0, 0, allButDf), E.writeIpv4Header(flagsAt, 0)];
  return [...device("iifname", "eq", REINJECT_IN), ...clear];
}

function guardRules(family: Family, { input }: RulesetOptions): Rule[] {
  if (family === "ip6") return [];
  const foreign = device("iifname", "neq", "lo");
  const rule = (where: "saddr" | "daddr"): Rule => ({
    chain: "guard",
    comment: `loopback addresses come from loopback only: ${where} (CVE-2020-8558)`,
    exprs: [...loopbackAddress(where), ...foreign, E.counter(), E.verdict("drop")],
  });
  const copies: Rule = { chain: "guard", comment: "copies may be fragmented", exprs: mayFragment() };
  return [rule("daddr"), rule("saddr"), ...(input === "respect" ? [copies] : [])];
}

function inputRules(family: Family, { input, reinjectLink }: RulesetOptions): Rule[] {
  if (input === "bypass") return [];
  const lost = [...device("iifname", "eq", REINJECT_IN), E.counter(), E.verdict("drop")];
  return [
    { chain: "input", comment: "unpublished while on its way round", exprs: lost },
    { chain: "input", comment: "accepted by the host: one address", exprs: reinject(family, false, reinjectLink) },
    { chain: "input", comment: "accepted by the host: any address", exprs: reinject(family, true, reinjectLink) },
  ];
}

function natRules(family: Family, { input }: RulesetOptions): Rule[] {
  const jump = E.verdict({ jump: "published" });
  const outside = input === "bypass" ? toOurselves() : [...device("iifname", "eq", REINJECT_IN), ...toOurselves()];
  return [
    { chain: "published", comment: "one address", exprs: translate(family, false) },
    { chain: "published", comment: "any address", exprs: translate(family, true) },
    {
      chain: "prerouting",
      comment: "from containers",
      exprs: [...named("iifname", SETS.bridges), ...toOurselves(), jump],
    },
    {
      chain: "prerouting",
      comment: input === "bypass" ? "from outside" : "accepted by the host",
      exprs: [...outside, jump],
    },
    { chain: "output", comment: "from the host", exprs: [...toOurselves(), ...notLoopback6(family), jump] },
  ];
}

function forwardRules(): Rule[] {
  const accept = E.verdict("accept");
  const drop = [E.counter(), E.verdict("drop")];
  const inward = named("oifname", SETS.bridges);
  const known = ctHas("state", E.CT_STATE.established | E.CT_STATE.related);
  return [
    { chain: "forward", comment: "within a network", exprs: [...withinOneBridge(), accept] },
    { chain: "forward", comment: "out of an internal network", exprs: [...named("iifname", SETS.internal), ...drop] },
    { chain: "forward", comment: "into an internal network", exprs: [...named("oifname", SETS.internal), ...drop] },
    { chain: "forward", comment: "answers", exprs: [...inward, ...known, accept] },
    { chain: "forward", comment: "published ports", exprs: [...inward, ...ctHas("status", E.CT_STATUS_DNAT), accept] },
    { chain: "forward", comment: "between networks and from outside", exprs: [...inward, ...drop] },
  ];
}

/** From a container to itself: only addresses tell, since br_netfilter hides the incoming device here. */
function toItself(family: Family): Expr[] {
  const [bytes, saddr, daddr] = family === "ip" ? [4, 12, 16] : [16, 8, 24];
  const words = bytes / 4;
  return [E.payload("network", saddr, bytes, 0), E.payload("network", daddr, bytes, words), E.inSet(SETS.self, 0)];
}

function postroutingRules(family: Family): Rule[] {
  const hide = E.masquerade();
  const outward = [...named("iifname", SETS.outbound), ...named("oifname", SETS.bridges, true)];
  const hairpin = [...withinOneBridge(), ...ctHas("status", E.CT_STATUS_DNAT)];
  const rules: Rule[] = [
    { chain: "postrouting", comment: "behind the host's address", exprs: [...outward, hide] },
    { chain: "postrouting", comment: "published port of a neighbour", exprs: [...hairpin, hide] },
    { chain: "postrouting", comment: "own published port", exprs: [...toItself(family), hide] },
  ];
  if (family === "ip6") return rules;
  const loopback = [...loopbackAddress("saddr"), ...named("oifname", SETS.bridges), hide];
  return [...rules, { chain: "postrouting", comment: "published port over loopback", exprs: loopback }];
}

/** The rules of a family in order. */
export function rulesOf(family: Family, options: RulesetOptions): Rule[] {
  return [
    ...guardRules(family, options),
    ...natRules(family, options),
    ...inputRules(family, options),
    ...forwardRules(),
    ...postroutingRules(family),
  ];
}

/** What a table's comment says; another text means that the table is to be made anew. */
export function versionOf({ input, reinjectLink }: RulesetOptions): string {
  return `lapstrake rules 3: ${input === "bypass" ? "bypassing input" : `respecting input by link ${reinjectLink}`}`;
}

/** The requests that make the table of a family with everything but elements. */
export function createTable(family: Family, options: RulesetOptions): Request[] {
  return [
    newTable(family, TABLE, versionOf(options)),
    ...setsOf(family).map((set, index) => newSet(family, TABLE, set, index + 1)),
    ...CHAINS.map((chain) => newChain(family, TABLE, chain)),
    ...rulesOf(family, options).map((rule) => newRule(family, TABLE, rule.chain, rule.comment, rule.exprs)),
  ];
}
