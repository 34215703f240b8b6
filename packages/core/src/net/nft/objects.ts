// Tables, chains, rules, sets and elements: requests of nf_tables, and their comments in nft(8)'s form. Pure.
import { LapError } from "@lapstrake/base";
import type { Attr } from "../netlink/attrs.ts";
import { attrsLength, text, u32be } from "../netlink/attrs.ts";
import { NLM_F_APPEND, NLM_F_CREATE, NLM_F_EXCL, type Request } from "../netlink/message.ts";
import * as K from "./constants.ts";
import { encodeExprs, type Expr } from "./expr.ts";

/** A family of ours. */
export type Family = keyof typeof K.FAMILY;
/** A datatype of nft. */
export type TypeName = keyof typeof K.TYPES;

/** A chain on a hook, or without one a chain to jump to. */
export interface Chain {
  readonly name: string;
  readonly hook?: {
    readonly type: "filter" | "nat";
    readonly on: keyof typeof K.HOOK_NUMBER;
    readonly priority: number;
  };
}

/** A set, or with `data` a map. */
export interface NftSet {
  readonly name: string;
  /** The parts of a key, concatenated. */
  readonly key: readonly TypeName[];
  readonly data?: readonly TypeName[];
}

/** An element; `comment` names its owner. */
export interface Element {
  readonly key: Uint8Array;
  readonly data?: Uint8Array | undefined;
  readonly comment: string;
}

const TYPE_BITS = 6;
const MAX_COMMENT = 127;
// An attribute holds 64 KiB; elements of one message stay below.
const MAX_ELEMENTS_BYTES = 60_000;

/** The fixed header of netfilter messages. */
export function nfgenmsg(family: number, resource = 0): Uint8Array {
  return Uint8Array.of(family, 0, resource >> 8, resource & 0xff);
}

function request(message: keyof typeof K.MSG, family: Family, flags: number, attrs: Attr[], subject: string): Request {
  const type = (K.NFNL_SUBSYS_NFTABLES << 8) | K.MSG[message];
  const name = `NFT_MSG_${message}`;
  return { type, flags, header: nfgenmsg(K.FAMILY[family]), attrs, name, subject: `${family} ${subject}` };
}

/** A comment as nft(8) stores it: type 0, length, text with NUL. Throws `ERR_LAP_NFT_COMMENT` beyond 127 bytes: owners are found by it. */
export function encodeComment(comment: string): Uint8Array {
  const value = text(comment);
  if (value.length > MAX_COMMENT + 1 || comment.includes("\0")) {
    throw new LapError("invalidArgument", "ERR_LAP_NFT_COMMENT", `nftables comment of ${value.length - 1} bytes`, {
      hint: `use at most ${MAX_COMMENT} bytes without NUL`,
    });
  }
  return Uint8Array.of(0, value.length, ...value);
}

/** Makes a table. */
export function newTable(family: Family, table: string, comment: string): Request {
  const attrs = [
    { type: K.TABLE.NAME, value: text(table) },
    { type: K.TABLE.USERDATA, value: encodeComment(comment) },
  ];
  return request("NEWTABLE", family, NLM_F_CREATE | NLM_F_EXCL, attrs, table);
}

/** Deletes a table with everything in it. */
export function deleteTable(family: Family, table: string): Request {
  return request("DELTABLE", family, 0, [{ type: K.TABLE.NAME, value: text(table) }], table);
}

/** Makes a chain. */
export function newChain(family: Family, table: string, chain: Chain): Request {
  const attrs: Attr[] = [
    { type: K.CHAIN.TABLE, value: text(table) },
    { type: K.CHAIN.NAME, value: text(chain.name) },
  ];
  if (chain.hook !== undefined) {
    const hook = [
      { type: K.HOOK.NUM, value: u32be(K.HOOK_NUMBER[chain.hook.on]) },
      { type: K.HOOK.PRIORITY, value: u32be(chain.hook.priority) },
    ];
    attrs.push({ type: K.CHAIN.HOOK, value: hook }, { type: K.CHAIN.TYPE, value: text(chain.hook.type) });
    attrs.push({ type: K.CHAIN.POLICY, value: u32be(K.NF_ACCEPT) });
  }
  return request("NEWCHAIN", family, NLM_F_CREATE | NLM_F_EXCL, attrs, chain.name);
}

/** Appends a rule. */
export function newRule(
  family: Family,
  table: string,
  chain: string,
  comment: string,
  exprs: readonly Expr[],
): Request {
  const attrs: Attr[] = [
    { type: K.RULE.TABLE, value: text(table) },
    { type: K.RULE.CHAIN, value: text(chain) },
    { type: K.RULE.EXPRESSIONS, value: encodeExprs(exprs) },
    { type: K.RULE.USERDATA, value: encodeComment(comment) },
  ];
  return request("NEWRULE", family, NLM_F_CREATE | NLM_F_APPEND, attrs, `${chain}: ${comment}`);
}

function concatType(types: readonly TypeName[]): { readonly id: number; readonly bytes: number } {
  const single = types.length === 1 ? K.TYPES[types[0]!] : undefined;
  if (single !== undefined) return single;
  const id = types.reduce((sum, type) => (sum << TYPE_BITS) | K.TYPES[type].id, 0);
  return { id, bytes: types.reduce((sum, type) => sum + ((K.TYPES[type].bytes + 3) & ~3), 0) };
}

/** Tells nft(8) that device names are text in host order; it prints nothing without. Type 0, length 4, host-endian is 1. */
const HOST_ORDER_KEY = Uint8Array.of(0, 4, 1, 0, 0, 0);

/** Makes a set or map; `id` is unique within the batch. */
export function newSet(family: Family, table: string, set: NftSet, id: number): Request {
  const key = concatType(set.key);
  const data = set.data === undefined ? undefined : concatType(set.data);
  const attrs: Attr[] = [
    { type: K.SET.TABLE, value: text(table) },
    { type: K.SET.NAME, value: text(set.name) },
    { type: K.SET.FLAGS, value: u32be(data === undefined ? 0 : K.SET_MAP) },
    { type: K.SET.KEY_TYPE, value: u32be(key.id) },
    { type: K.SET.KEY_LEN, value: u32be(key.bytes) },
    { type: K.SET.ID, value: u32be(id) },
  ];
  if (set.key.length === 1 && set.key[0] === "ifname") attrs.push({ type: K.SET.USERDATA, value: HOST_ORDER_KEY });
  if (data !== undefined) {
    attrs.push({ type: K.SET.DATA_TYPE, value: u32be(data.id) }, { type: K.SET.DATA_LEN, value: u32be(data.bytes) });
  }
  return request("NEWSET", family, NLM_F_CREATE | NLM_F_EXCL, attrs, set.name);
}

function elementAttr(element: Element, withValue: boolean): Attr {
  const value: Attr[] = [{ type: K.ELEM.KEY, value: [{ type: K.DATA.VALUE, value: element.key }] }];
  if (withValue && element.data !== undefined) {
    value.push({ type: K.ELEM.DATA, value: [{ type: K.DATA.VALUE, value: element.data }] });
  }
  if (withValue) value.push({ type: K.ELEM.USERDATA, value: encodeComment(element.comment) });
  return { type: K.LIST_ELEM, value };
}

/** Runs of elements that fit one message. */
function chunks(elements: readonly Attr[]): Attr[][] {
  const out: Attr[][] = [];
  let room = 0;
  for (const element of elements) {
    const length = attrsLength([element]);
    if (length > room) {
      out.push([]);
      room = MAX_ELEMENTS_BYTES;
    }
    out.at(-1)!.push(element);
    room -= length;
  }
  return out;
}

function elementRequests(
  message: "NEWSETELEM" | "DELSETELEM",
  family: Family,
  table: string,
  set: string,
  elements: readonly Element[],
  flags = 0,
): Request[] {
  const adding = message === "NEWSETELEM";
  return chunks(elements.map((element) => elementAttr(element, adding))).map((chunk) => {
    const attrs: Attr[] = [
      { type: K.ELEM_LIST.TABLE, value: text(table) },
      { type: K.ELEM_LIST.SET, value: text(set) },
      { type: K.ELEM_LIST.ELEMENTS, value: chunk },
    ];
    return request(message, family, flags, attrs, set);
  });
}

/** Adds elements, each with its owner as comment; EEXIST when a key is there, unless it may be (`shared`). */
export function newElements(
  family: Family,
  table: string,
  set: string,
  elements: readonly Element[],
  shared = false,
): Request[] {
  const flags = NLM_F_CREATE | (shared ? 0 : NLM_F_EXCL);
  return elementRequests("NEWSETELEM", family, table, set, elements, flags);
}

/** Deletes elements by key; ENOENT when one is not there. */
export function deleteElements(family: Family, table: string, set: string, elements: readonly Element[]): Request[] {
  return elementRequests("DELSETELEM", family, table, set, elements);
}

/** Asks for the tables of a family (a dump). */
export function listTables(family: Family): Request {
  return request("GETTABLE", family, 0, [], "tables");
}

/** Asks for the chains of all tables of a family (a dump). */
export function listChains(family: Family): Request {
  return request("GETCHAIN", family, 0, [], "chains");
}

/** Asks for the rules of a table (a dump). */
export function listRules(family: Family, table: string): Request {
  return request("GETRULE", family, 0, [{ type: K.RULE.TABLE, value: text(table) }], table);
}

/** Asks for the elements of a set (a dump). */
export function listElements(family: Family, table: string, set: string): Request {
  const attrs = [
    { type: K.ELEM_LIST.TABLE, value: text(table) },
    { type: K.ELEM_LIST.SET, value: text(set) },
  ];
  return request("GETSETELEM", family, 0, attrs, set);
}

/** Asks for the generation of the whole ruleset. */
export function getGeneration(): Request {
  return request("GETGEN", "ip", 0, [], "generation");
}
