// What nf_tables answers, as plain values: tables, chains, rules and elements with their comments. Pure.
import { attrMap, decodeAttrs, readText, readU32be, readU64be } from "../netlink/attrs.ts";
import type { Message } from "../netlink/message.ts";
import * as K from "./constants.ts";
import type { Element } from "./objects.ts";

/** A table as listed. */
export interface ListedTable {
  readonly name: string;
  readonly comment: string;
}

/** A chain as listed, of any table. */
export interface ListedChain {
  readonly table: string;
  readonly name: string;
  /** Hook number and priority of a base chain. */
  readonly hook: { readonly number: number; readonly priority: number } | undefined;
  readonly drops: boolean;
}

/** A rule as listed. */
export interface ListedRule {
  readonly chain: string;
  readonly handle: bigint;
  readonly comment: string;
  /** Kernel names of its expressions, in order: `meta`, `lookup`, `immediate` … */
  readonly expressions: readonly string[];
}

const GENMSG = 4;

function attrsOf({ payload }: Message): ReadonlyMap<number, Uint8Array> {
  return attrMap(payload.subarray(GENMSG));
}

function textOf(attrs: ReadonlyMap<number, Uint8Array>, type: number): string {
  const value = attrs.get(type);
  return value === undefined ? "" : readText(value);
}

/** The comment in userdata, "" when it holds none: a list of type, length, value. */
export function decodeComment(userdata: Uint8Array | undefined): string {
  for (let at = 0; userdata !== undefined && at + 2 <= userdata.length; at += 2 + userdata[at + 1]!) {
    if (userdata[at] === 0) return readText(userdata.subarray(at + 2, at + 2 + userdata[at + 1]!));
  }
  return "";
}

/** Reads an NFT_MSG_NEWTABLE. */
export function parseTable(message: Message): ListedTable {
  const attrs = attrsOf(message);
  return { name: textOf(attrs, K.TABLE.NAME), comment: decodeComment(attrs.get(K.TABLE.USERDATA)) };
}

/** Reads an NFT_MSG_NEWCHAIN. */
export function parseChain(message: Message): ListedChain {
  const attrs = attrsOf(message);
  const hook = attrs.get(K.CHAIN.HOOK);
  const policy = attrs.get(K.CHAIN.POLICY);
  return {
    table: textOf(attrs, K.CHAIN.TABLE),
    name: textOf(attrs, K.CHAIN.NAME),
    hook: hook === undefined ? undefined : parseHook(hook),
    drops: policy !== undefined && readU32be(policy) === K.NF_DROP,
  };
}

function parseHook(bytes: Uint8Array): { number: number; priority: number } {
  const attrs = attrMap(bytes);
  const word = (type: number): number => {
    const value = attrs.get(type);
    return value === undefined ? 0 : readU32be(value) | 0;
  };
  return { number: word(K.HOOK.NUM), priority: word(K.HOOK.PRIORITY) };
}

/** Reads an NFT_MSG_NEWRULE. */
export function parseRule(message: Message): ListedRule {
  const attrs = attrsOf(message);
  const handle = attrs.get(K.RULE.HANDLE);
  const expressions = decodeAttrs(attrs.get(K.RULE.EXPRESSIONS) ?? new Uint8Array());
  return {
    chain: textOf(attrs, K.RULE.CHAIN),
    handle: handle === undefined ? 0n : readU64be(handle),
    comment: decodeComment(attrs.get(K.RULE.USERDATA)),
    expressions: expressions.map(({ value }) => textOf(attrMap(value), K.EXPR.NAME)),
  };
}

function dataValue(bytes: Uint8Array | undefined): Uint8Array | undefined {
  return bytes === undefined ? undefined : attrMap(bytes).get(K.DATA.VALUE);
}

/** Reads the elements of an NFT_MSG_NEWSETELEM. */
export function parseElements(message: Message): Element[] {
  const list = attrsOf(message).get(K.ELEM_LIST.ELEMENTS) ?? new Uint8Array();
  return decodeAttrs(list).map(({ value }) => {
    const attrs = attrMap(value);
    return {
      key: dataValue(attrs.get(K.ELEM.KEY)) ?? new Uint8Array(),
      data: dataValue(attrs.get(K.ELEM.DATA)),
      comment: decodeComment(attrs.get(K.ELEM.USERDATA)),
    };
  });
}

/** Reads the generation of an NFT_MSG_NEWGEN. */
export function parseGeneration(message: Message): number {
  return readU32be(attrsOf(message).get(K.GEN_ID) ?? u32zero);
}

const u32zero = new Uint8Array(4);
