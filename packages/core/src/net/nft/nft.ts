// The verbs of nf_tables over one socket: atomic batches and lists, what nft(8) does, without a process. Synchronous.
import { errorCode } from "@lapstrake/base";
import { concat, u32be } from "../netlink/attrs.ts";
import { decodeAck, encodeRequest, netlinkError, NLM_F_ACK, type Request } from "../netlink/message.ts";
import { NETLINK_NETFILTER, NetlinkSocket, type NetlinkOptions } from "../netlink/socket.ts";
import * as K from "./constants.ts";
import {
  getGeneration,
  listChains,
  listElements,
  listRules,
  listTables,
  nfgenmsg,
  type Element,
  type Family,
} from "./objects.ts";
import { parseChain, parseElements, parseGeneration, parseRule, parseTable } from "./parse.ts";
import type { ListedChain, ListedRule, ListedTable } from "./parse.ts";

// Room for a batch of a whole port range (65,535 elements are about 6 MB).
const SEND_BYTES = 16 * 1024 * 1024;

/** nf_tables of one network namespace. */
export class Nft implements Disposable {
  readonly #socket: NetlinkSocket;

  constructor(options: NetlinkOptions = {}) {
    this.#socket = new NetlinkSocket(NETLINK_NETFILTER, { sendBytes: SEND_BYTES, ...options });
  }

  /** Commits requests as one transaction: all or none. With `generation` only if nobody changed the ruleset since (ERESTART). */
  commit(requests: readonly Request[], generation?: number): void {
    if (requests.length === 0) return;
    const begin = this.#edge(K.NFNL_MSG_BATCH_BEGIN, generation);
    const beginSeq = this.#socket.nextSeq();
    const sent = new Map([[beginSeq, begin]]);
    const parts = [encodeRequest(begin, beginSeq)];
    let last = beginSeq;
    for (const [index, request] of requests.entries()) {
      last = this.#socket.nextSeq();
      const flags = index === requests.length - 1 ? request.flags | NLM_F_ACK : request.flags;
      sent.set(last, request);
      parts.push(encodeRequest({ ...request, flags }, last));
    }
    parts.push(encodeRequest(this.#edge(K.NFNL_MSG_BATCH_END), this.#socket.nextSeq()));
    this.#run(concat(parts), sent, beginSeq, last);
  }

  #run(bytes: Uint8Array, sent: ReadonlyMap<number, Request>, beginSeq: number, lastSeq: number): void {
    let failure: Error | undefined;
    this.#socket.exchangeRaw(bytes, (message) => {
      const request = sent.get(message.seq);
      const ack = decodeAck(message);
      if (request === undefined || ack === undefined) return false;
      if (ack.errno !== 0) failure ??= netlinkError(ack, request);
      return message.seq === lastSeq || (message.seq === beginSeq && ack.errno !== 0);
    });
    if (failure !== undefined) throw failure;
  }

  #edge(type: number, generation?: number): Request {
    const attrs = generation === undefined ? [] : [{ type: K.NFNL_BATCH_GENID, value: u32be(generation) }];
    return { type, flags: 0, header: nfgenmsg(0, K.NFNL_SUBSYS_NFTABLES), attrs, name: "nf_tables batch" };
  }

  /** Counts every commit by anybody in this namespace. */
  generation(): number {
    return parseGeneration(this.#socket.get(getGeneration()));
  }

  /** The table of a name, undefined when there is none. */
  table(family: Family, name: string): ListedTable | undefined {
    const tables = this.#socket.dump(listTables(family)).map(parseTable);
    return tables.find((table) => table.name === name);
  }

  /** The chains of every table of a family, ours or not. */
  chains(family: Family): ListedChain[] {
    return this.#socket.dump(listChains(family)).map(parseChain);
  }

  /** The rules of a table, in order within each chain. */
  rules(family: Family, table: string): ListedRule[] {
    return this.#socket.dump(listRules(family, table)).map(parseRule);
  }

  /** The elements of a set; none when the set or its table is missing. */
  elements(family: Family, table: string, set: string): Element[] {
    try {
      return this.#socket.dump(listElements(family, table, set)).flatMap(parseElements);
    } catch (error) {
      if (errorCode(error) === "ENOENT") return [];
      throw error;
    }
  }

  [Symbol.dispose](): void {
    this.#socket[Symbol.dispose]();
  }
}
