// Netlink messages: header, splitting a datagram, acknowledgements with the kernel's extended text (netlink(7)). Pure.
import { LapError, systemError, type SystemError } from "@lapstrake/base";
import { align, attrMap, concat, encodeAttrs, readI32, readText, readU16, readU32, type Attr } from "./attrs.ts";

export const NLM_F_REQUEST = 0x1;
export const NLM_F_MULTI = 0x2;
export const NLM_F_ACK = 0x4;
export const NLM_F_DUMP_INTR = 0x10;
export const NLM_F_DUMP = 0x300;
export const NLM_F_REPLACE = 0x100;
export const NLM_F_EXCL = 0x200;
export const NLM_F_CREATE = 0x400;
export const NLM_F_APPEND = 0x800;
const NLM_F_CAPPED = 0x100;
const NLM_F_ACK_TLVS = 0x200;

export const NLMSG_ERROR = 2;
export const NLMSG_DONE = 3;

const NLMSGERR_ATTR_MSG = 1;
const HEADER = 16;

/** A message to send; `name` and `subject` word the error when the kernel refuses it. */
export interface Request {
  readonly type: number;
  /** Beyond NLM_F_REQUEST, which is always set. */
  readonly flags: number;
  /** The family's fixed header (ifinfomsg, nfgenmsg …). */
  readonly header: Uint8Array;
  readonly attrs: readonly Attr[];
  /** The kernel's name of the message: `RTM_NEWLINK`. */
  readonly name: string;
  /** What it is about: a device, an address. */
  readonly subject?: string;
}

/** A message as received. */
export interface Message {
  readonly type: number;
  readonly flags: number;
  readonly seq: number;
  readonly payload: Uint8Array;
}

/** The bytes of a request, padded, so that several can follow each other in one datagram. */
export function encodeRequest(request: Request, seq: number): Uint8Array {
  const body = [request.header, new Uint8Array(align(request.header.length) - request.header.length)];
  const payload = concat([...body, encodeAttrs(request.attrs)]);
  const header = new Uint8Array(HEADER);
  const view = new DataView(header.buffer);
  view.setUint32(0, HEADER + payload.length, true);
  view.setUint16(4, request.type, true);
  view.setUint16(6, request.flags | NLM_F_REQUEST, true);
  view.setUint32(8, seq, true);
  return concat([header, payload]);
}

/** The messages of one datagram; views into `bytes`. */
export function decodeMessages(bytes: Uint8Array): Message[] {
  const out: Message[] = [];
  for (let at = 0; at + HEADER <= bytes.length;) {
    const length = readU32(bytes, at);
    if (length < HEADER || at + length > bytes.length) {
      throw new LapError("internal", "ERR_LAP_NETLINK_REPLY", `netlink message of ${length} bytes at ${at}`);
    }
    out.push({
      type: readU16(bytes, at + 4),
      flags: readU16(bytes, at + 6),
      seq: readU32(bytes, at + 8),
      payload: bytes.subarray(at + HEADER, at + length),
    });
    at += align(length);
  }
  return out;
}

/** What an acknowledgement says. */
export interface Ack {
  /** Positive errno, 0 for success. */
  readonly errno: number;
  /** The kernel's extended text, "" when it gave none. */
  readonly text: string;
}

/** Reads an NLMSG_ERROR; other types are none, undefined. A failed dump says so in NLMSG_DONE. */
export function decodeAck(message: Message): Ack | undefined {
  if (message.type === NLMSG_DONE && message.payload.length >= 4)
    return { errno: Math.abs(readI32(message.payload)), text: "" };
  if (message.type !== NLMSG_ERROR) return undefined;
  const errno = Math.abs(readI32(message.payload));
  if ((message.flags & NLM_F_ACK_TLVS) === 0) return { errno, text: "" };
  // A success echoes only the header of the request; a failure the whole of it, unless capped.
  const echoed = errno === 0 || (message.flags & NLM_F_CAPPED) !== 0 ? HEADER : readU32(message.payload, 4);
  const reason = attrMap(message.payload.subarray(4 + align(echoed))).get(NLMSGERR_ATTR_MSG);
  return { errno, text: reason === undefined ? "" : readText(reason) };
}

/** The Node-shaped error of a refused request: `EEXIST: RTM_NEWLINK 'br0': <the kernel's text>`. */
export function netlinkError(ack: Ack, request: Request): SystemError {
  const error = systemError(ack.errno, request.name, request.subject);
  if (ack.text !== "") error.message += `: ${ack.text}`;
  return error;
}
