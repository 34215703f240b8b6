// Expressions of nf_tables rules, as the kernel's register machine takes them: linux/netfilter/nf_tables.h. Pure.
// Registers are the sixteen 4-byte ones (NFT_REG32_00 …), counted from 0 here.
import { concat, text, u32, u32be, type Attr } from "../netlink/attrs.ts";
import * as K from "./constants.ts";

/** One expression: its kernel name and attributes. */
export interface Expr {
  readonly name: string;
  readonly attrs: readonly Attr[];
}

/** What ends the evaluation of a rule. */
export type Verdict = "accept" | "drop" | { readonly jump: string };

const VERDICT_REGISTER = 0;
const REG32_00 = 8;

/** Packet and device facts: NFT_META_*. */
export const META = { iifname: 6, oifname: 7, l4proto: 16 } as const;
/** Connection tracking facts: NFT_CT_*. */
export const CT = { state: 0, status: 2 } as const;
/** Bits of `ct state` as nft numbers them. */
export const CT_STATE = { established: 2, related: 4, new: 8 } as const;
/** IPS_DST_NAT: the connection's destination was translated. */
export const CT_STATUS_DNAT = 0x20;

function reg(index: number): Uint8Array {
  return u32be(REG32_00 + index);
}

function number(type: number, value: number): Attr {
  return { type, value: u32be(value) };
}

function data(type: number, value: Uint8Array): Attr {
  return { type, value: [{ type: K.DATA.VALUE, value }] };
}

/** Loads a packet fact. */
export function meta(key: keyof typeof META, dreg: number): Expr {
  return {
    name: "meta",
    attrs: [
      { type: 1, value: reg(dreg) },
      { type: 2, value: u32be(META[key]) },
    ],
  };
}

/** Loads a connection tracking fact. */
export function ct(key: keyof typeof CT, dreg: number): Expr {
  return {
    name: "ct",
    attrs: [
      { type: 1, value: reg(dreg) },
      { type: 2, value: u32be(CT[key]) },
    ],
  };
}

/** Loads bytes of the network or transport header. */
export function payload(base: "network" | "transport", offset: number, length: number, dreg: number): Expr {
  const attrs = [
    { type: 1, value: reg(dreg) },
    number(2, base === "network" ? 1 : 2),
    number(3, offset),
    number(4, length),
  ];
  return { name: "payload", attrs };
}

/** Writes two bytes of the IPv4 header from a register, and mends its checksum. */
export function writeIpv4Header(offset: number, sreg: number): Expr {
  const checksumAt = 10;
  const attrs = [number(2, 1), number(3, offset), number(4, 2), { type: 5, value: reg(sreg) }, number(6, 1)];
  return { name: "payload", attrs: [...attrs, number(7, checksumAt)] };
}

/** Loads the type of the destination address as routing sees it (RTN_LOCAL, RTN_UNICAST …). */
export function fibDaddrType(dreg: number): Expr {
  return { name: "fib", attrs: [{ type: 1, value: reg(dreg) }, number(2, 3), number(3, 2)] };
}

/** Goes on only when a register equals (or not) `value`. */
export function cmp(op: "eq" | "neq", sreg: number, value: Uint8Array): Expr {
  return { name: "cmp", attrs: [{ type: 1, value: reg(sreg) }, number(2, op === "eq" ? 0 : 1), data(3, value)] };
}

/** `dreg = sreg & mask`. */
export function mask(sreg: number, dreg: number, bits: Uint8Array): Expr {
  const attrs = [
    { type: 1, value: reg(sreg) },
    { type: 2, value: reg(dreg) },
    number(3, bits.length),
    data(4, bits),
    data(5, new Uint8Array(bits.length)),
  ];
  return { name: "bitwise", attrs };
}

/** Goes on only when the registers from `sreg` are (or are not) in a set. */
export function inSet(set: string, sreg: number, inverse = false): Expr {
  const attrs: Attr[] = [
    { type: 1, value: text(set) },
    { type: 2, value: reg(sreg) },
  ];
  if (inverse) attrs.push(number(5, 1));
  return { name: "lookup", attrs };
}

/** Loads what a map holds for the registers from `sreg`; goes on only when it holds something. */
export function mapValue(map: string, sreg: number, dreg: number): Expr {
  const attrs = [
    { type: 1, value: text(map) },
    { type: 2, value: reg(sreg) },
    { type: 3, value: reg(dreg) },
  ];
  return { name: "lookup", attrs };
}

/** Loads a constant. */
export function immediate(dreg: number, value: Uint8Array): Expr {
  return { name: "immediate", attrs: [{ type: 1, value: reg(dreg) }, data(2, value)] };
}

/** Ends the rule with a verdict. */
export function verdict(what: Verdict): Expr {
  const code = what === "accept" ? K.NF_ACCEPT : what === "drop" ? K.NF_DROP : K.NFT_JUMP;
  const inner: Attr[] = [number(K.VERDICT.CODE, code)];
  if (typeof what === "object") inner.push({ type: K.VERDICT.CHAIN, value: text(what.jump) });
  const attrs = [number(1, VERDICT_REGISTER), { type: 2, value: [{ type: K.DATA.VERDICT, value: inner }] }];
  return { name: "immediate", attrs };
}

/** Destination translation to the address and port in two registers. */
export function dnat(family: number, address: number, port: number): Expr {
  const attrs = [number(1, 1), number(2, family), { type: 3, value: reg(address) }, { type: 5, value: reg(port) }];
  return { name: "nat", attrs };
}

/** Source translation to the address of the outgoing device. */
export function masquerade(): Expr {
  return { name: "masq", attrs: [] };
}

/** Sends a copy of the packet to the gateway in one register through the device whose index is in another. */
export function dup(address: number, device: number): Expr {
  return {
    name: "dup",
    attrs: [
      { type: 1, value: reg(address) },
      { type: 2, value: reg(device) },
    ],
  };
}

/** Counts packets and bytes of the rule. */
export function counter(): Expr {
  return { name: "counter", attrs: [] };
}

/** A device name as a register holds it: 16 bytes, zero-filled. */
export function ifnameBytes(name: string): Uint8Array {
  const out = new Uint8Array(16);
  out.set(new TextEncoder().encode(name));
  return out;
}

/** Several values as the key of a concatenated set: each padded to whole registers. */
export function concatKey(...parts: readonly Uint8Array[]): Uint8Array {
  return concat(parts.flatMap((part) => [part, new Uint8Array((4 - (part.length % 4)) % 4)]));
}

/** The list attribute value of a rule's expressions. */
export function encodeExprs(exprs: readonly Expr[]): Attr[] {
  return exprs.map(({ name, attrs }) => ({
    type: K.LIST_ELEM,
    value: [
      { type: K.EXPR.NAME, value: text(name) },
      { type: K.EXPR.DATA, value: attrs.length > 0 ? attrs : [] },
    ],
  }));
}

/** A 32-bit constant as `cmp` and `mask` compare it: host order. */
export const hostWord: (value: number) => Uint8Array = u32;
