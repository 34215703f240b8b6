// A netlink socket: requests go out, each is acknowledged or throws; dumps are read whole. Synchronous, as the kernel's work is:
// it handles a request within send(2), so its answer is there when we ask for it.
import { closeSync } from "node:fs";
import { LapError, systemError } from "@lapstrake/base";
import { kernelSyscalls } from "../../sys/kernel.ts";
import { AF_NETLINK, MSG_PEEK, MSG_TRUNC, netCall, openSocket, SOCK_RAW, withNetns } from "../../sys/net.ts";
import type { SyscallPort } from "../../sys/port.ts";
import { concat, u32 } from "./attrs.ts";
import {
  decodeAck,
  decodeMessages,
  encodeRequest,
  netlinkError,
  NLM_F_ACK,
  NLM_F_DUMP,
  NLM_F_DUMP_INTR,
  NLM_F_MULTI,
  NLMSG_DONE,
  NLMSG_ERROR,
  type Message,
  type Request,
} from "./message.ts";

export const NETLINK_ROUTE = 0;
export const NETLINK_NETFILTER = 12;

const SOL_SOCKET = 1;
const SO_RCVTIMEO = 20;
const SO_SNDBUFFORCE = 32;
const SO_RCVBUFFORCE = 33;
const SOL_NETLINK = 270;
const NETLINK_CAP_ACK = 10;
const NETLINK_EXT_ACK = 11;
const NETLINK_GET_STRICT_CHK = 12;

/** The kernel answers at once; this only turns a lost answer into an error. */
const ANSWER_TIMEOUT_S = 10;
const RECEIVE_BYTES = 256 * 1024;
const DUMP_TRIES = 8;
const EAGAIN = 11;

let receiveBuffer: Buffer | undefined;

/** Where to open it, and how to reach the kernel. */
export interface NetlinkOptions {
  /** Descriptor of the network namespace; default the caller's own. */
  readonly netns?: number | undefined;
  /** Bytes that one send may hold; default the system's (208 KiB). Raised for large batches, needs CAP_NET_ADMIN. */
  readonly sendBytes?: number;
  readonly sys?: SyscallPort;
}

/** An open netlink socket of one protocol in one namespace. */
export class NetlinkSocket implements Disposable {
  readonly #sys: SyscallPort;
  readonly #fd: number;
  #seq = 0;

  constructor(protocol: number, options: NetlinkOptions = {}) {
    this.#sys = options.sys ?? kernelSyscalls();
    const open = (): number => openSocket(AF_NETLINK, SOCK_RAW, protocol, this.#sys);
    this.#fd = options.netns === undefined ? open() : withNetns(options.netns, open, this.#sys);
    this.#setUp(options.sendBytes);
  }

  #setUp(sendBytes: number | undefined): void {
    const timeout = Buffer.alloc(16);
    timeout.writeBigInt64LE(BigInt(ANSWER_TIMEOUT_S), 0);
    this.#option(SOL_SOCKET, SO_RCVTIMEO, timeout);
    for (const name of [NETLINK_EXT_ACK, NETLINK_CAP_ACK, NETLINK_GET_STRICT_CHK])
      this.#option(SOL_NETLINK, name, u32(1));
    if (sendBytes === undefined) return;
    this.#option(SOL_SOCKET, SO_SNDBUFFORCE, u32(sendBytes));
    this.#option(SOL_SOCKET, SO_RCVBUFFORCE, u32(sendBytes));
  }

  #option(level: number, name: number, value: Uint8Array): void {
    netCall(this.#sys, "setsockopt", this.#fd, level, name, value, value.length);
  }

  /** Sends requests in one datagram and waits for each acknowledgement; throws at the first refused one. */
  request(...requests: readonly Request[]): void {
    this.#exchange(
      requests.map((each) => ({ ...each, flags: each.flags | NLM_F_ACK })),
      (_message) => undefined,
    );
  }

  /** Sends one request that is answered by one message, and returns that. */
  get(request: Request): Message {
    let answer: Message | undefined;
    this.#exchange([{ ...request, flags: request.flags | NLM_F_ACK }], (message) => (answer = message));
    if (answer === undefined) {
      throw new LapError("internal", "ERR_LAP_NETLINK_REPLY", `${request.name} was acknowledged without an answer`);
    }
    return answer;
  }

  /** Everything the kernel lists for a request; asked again when it changed while being listed. */
  dump(request: Request): Message[] {
    for (let tries = 0; tries < DUMP_TRIES; tries++) {
      const found: Message[] = [];
      const torn = this.#exchange([{ ...request, flags: request.flags | NLM_F_DUMP }], (message) =>
        found.push(message),
      );
      if (!torn) return found;
    }
    throw new LapError("unavailable", "ERR_LAP_NETLINK_BUSY", `${request.name} changed while it was listed`);
  }

  /** Sends bytes and hands over each message that comes until `done` says so. */
  exchangeRaw(bytes: Uint8Array, done: (message: Message) => boolean): void {
    netCall(this.#sys, "sendto", this.#fd, bytes, bytes.length, 0, 0, 0);
    for (;;) if (this.#receive().some(done)) return;
  }

  /** The next unused sequence number. */
  nextSeq(): number {
    this.#seq = (this.#seq + 1) >>> 0 || 1;
    return this.#seq;
  }

  #exchange(requests: readonly Request[], take: (message: Message) => unknown): boolean {
    const open = new Map(requests.map((request) => [this.nextSeq(), request]));
    const bytes = concat([...open].map(([seq, request]) => encodeRequest(request, seq)));
    let failure: Error | undefined;
    let torn = false;
    this.exchangeRaw(bytes, (message) => {
      const request = open.get(message.seq);
      if (request === undefined) return false;
      torn ||= (message.flags & NLM_F_DUMP_INTR) !== 0;
      const ack = decodeAck(message);
      if (ack !== undefined && ack.errno !== 0) failure ??= netlinkError(ack, request);
      if (message.type === NLMSG_ERROR || message.type === NLMSG_DONE) open.delete(message.seq);
      else {
        take(message);
        if ((message.flags & NLM_F_MULTI) === 0 && (request.flags & NLM_F_ACK) === 0) open.delete(message.seq);
      }
      return open.size === 0;
    });
    if (failure !== undefined) throw failure;
    return torn;
  }

  #receive(): Message[] {
    receiveBuffer ??= Buffer.alloc(RECEIVE_BYTES);
    let length = this.#recv(receiveBuffer, MSG_PEEK | MSG_TRUNC);
    if (length > receiveBuffer.length) receiveBuffer = Buffer.alloc(length);
    length = this.#recv(receiveBuffer, 0);
    // Copied out: the buffer serves every socket.
    return decodeMessages(new Uint8Array(receiveBuffer.subarray(0, length)));
  }

  #recv(into: Buffer, flags: number): number {
    try {
      return netCall(this.#sys, "recvfrom", this.#fd, into, into.length, flags, 0, 0);
    } catch (error) {
      if ((error as { errno?: number }).errno === -EAGAIN) throw systemError(110, "recvfrom", "netlink");
      throw error;
    }
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }
}
