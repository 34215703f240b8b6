// The part of the DNS wire format that a resolver of container names needs: one question in, addresses or a name out. RFC 1035 §4,
// RFC 3596 (AAAA). What is forwarded travels as bytes. Pure.
import { LapError } from "@lapstrake/base";

/** Record types we answer. */
export const TYPE = { A: 1, PTR: 12, AAAA: 28, ANY: 255 } as const;
/** Response codes we give. */
export const RCODE = {
  noError: 0,
  formatError: 1,
  serverFailure: 2,
  nameError: 3,
  notImplemented: 4,
  refused: 5,
} as const;

/** A query, as far as we look at it. */
export interface Query {
  readonly id: number;
  readonly opcode: number;
  readonly recursionDesired: boolean;
  /** Lower case, without the last dot; "" is the root. */
  readonly name: string;
  readonly type: number;
  readonly class: number;
  /** Where the question ends in the message. */
  readonly questionEnd: number;
}

/** One answer record. */
export interface Answer {
  readonly type: number;
  /** RDATA. */
  readonly data: Uint8Array;
  /** Seconds a client may keep it. */
  readonly ttl: number;
}

const HEADER = 12;
const CLASS_IN = 1;
const MAX_LABEL = 63;
const MAX_NAME = 255;
/** What a UDP answer may hold without EDNS. */
export const MAX_UDP = 512;
const FLAG = {
  response: 0x8000,
  authoritative: 0x0400,
  truncated: 0x0200,
  desired: 0x0100,
  available: 0x0080,
} as const;
const ANSWER_HEADER = 12;

function malformed(what: string): LapError {
  return new LapError("invalidArgument", "ERR_LAP_DNS_FORMAT", `malformed DNS message: ${what}`);
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Reads the name of a question: labels only, since nothing precedes it that a pointer could point at. */
function decodeName(bytes: Uint8Array, start: number): { readonly name: string; readonly end: number } {
  const labels: string[] = [];
  let at = start;
  for (;;) {
    const length = bytes[at];
    if (length === undefined) throw malformed("name beyond the end");
    if (length === 0) return { name: labels.join(".").toLowerCase(), end: at + 1 };
    if (length > MAX_LABEL) throw malformed("compressed or extended label");
    if (at + 1 + length >= bytes.length || at + length - start > MAX_NAME) throw malformed("name too long");
    labels.push(String.fromCharCode(...bytes.subarray(at + 1, at + 1 + length)));
    at += 1 + length;
  }
}

/** Reads a query; throws `ERR_LAP_DNS_FORMAT`. Additional records (EDNS) are not looked at. */
export function decodeQuery(bytes: Uint8Array): Query {
  if (bytes.length < HEADER) throw malformed("no header");
  const data = view(bytes);
  const flags = data.getUint16(2);
  if ((flags & FLAG.response) !== 0) throw malformed("a response, not a query");
  if (data.getUint16(4) !== 1) throw malformed("not one question");
  const { name, end } = decodeName(bytes, HEADER);
  if (end + 4 > bytes.length) throw malformed("question beyond the end");
  return {
    id: data.getUint16(0),
    opcode: (flags >> 11) & 0xf,
    recursionDesired: (flags & FLAG.desired) !== 0,
    name,
    type: data.getUint16(end),
    class: data.getUint16(end + 2),
    questionEnd: end + 4,
  };
}

/** A name as RDATA; throws `ERR_LAP_DNS_FORMAT` when a label is empty or too long. */
export function encodeName(name: string): Uint8Array {
  const labels = name === "" ? [] : name.replace(/\.$/, "").split(".");
  const parts = labels.map((label) => {
    const bytes = Uint8Array.from(label, (char) => char.charCodeAt(0));
    if (bytes.length === 0 || bytes.length > MAX_LABEL) throw malformed(`label "${label}"`);
    return [bytes.length, ...bytes];
  });
  const out = Uint8Array.from([...parts.flat(), 0]);
  if (out.length > MAX_NAME) throw malformed("name too long");
  return out;
}

function header(query: Uint8Array, rcode: number, flags: number, answers: number): Uint8Array {
  const out = new Uint8Array(HEADER);
  const data = view(out);
  const asked = query.length >= 4 ? view(query).getUint16(2) : 0;
  out.set(query.subarray(0, 2));
  data.setUint16(2, FLAG.response | (asked & (FLAG.desired | 0x7800)) | FLAG.available | flags | rcode);
  data.setUint16(6, answers);
  return out;
}

function record({ type, data, ttl }: Answer): Uint8Array {
  const out = new Uint8Array(ANSWER_HEADER + data.length);
  const bytes = view(out);
  // A pointer to the question's name.
  bytes.setUint16(0, 0xc000 | HEADER);
  bytes.setUint16(2, type);
  bytes.setUint16(4, CLASS_IN);
  bytes.setUint32(6, ttl);
  bytes.setUint16(10, data.length);
  out.set(data, ANSWER_HEADER);
  return out;
}

/** The answer to `query`, its question echoed; cut to `maxBytes` with the truncation flag when it does not fit. */
export function encodeAnswers(
  bytes: Uint8Array,
  query: Query,
  answers: readonly Answer[],
  maxBytes: number,
): Uint8Array {
  const question = bytes.subarray(HEADER, query.questionEnd);
  const records = answers.map(record);
  let room = maxBytes - HEADER - question.length;
  const fitting = records.filter((each) => (room -= each.length) >= 0);
  const cut = fitting.length < records.length ? FLAG.truncated : 0;
  const head = header(bytes, RCODE.noError, FLAG.authoritative | cut, fitting.length);
  view(head).setUint16(4, 1);
  return Uint8Array.from(Buffer.concat([head, question, ...fitting]));
}

/** A failure: the question echoed as far as it was understood. */
export function encodeFailure(bytes: Uint8Array, rcode: number, query?: Query): Uint8Array {
  const head = header(bytes, rcode, 0, 0);
  if (query === undefined) return head;
  view(head).setUint16(4, 1);
  return Uint8Array.from(Buffer.concat([head, bytes.subarray(HEADER, query.questionEnd)]));
}

/** True when `answer` is a response to the forwarded `query`: same id, same question. */
export function answersQuery(query: Uint8Array, end: number, answer: Uint8Array): boolean {
  if (answer.length < HEADER || (view(answer).getUint16(2) & FLAG.response) === 0) return false;
  if (answer[0] !== query[0] || answer[1] !== query[1]) return false;
  if (view(answer).getUint16(4) !== 1) return answer.length === HEADER;
  const text = (bytes: Uint8Array): string => Buffer.from(bytes.subarray(HEADER, end)).toString("latin1").toLowerCase();
  return answer.length >= end && text(answer) === text(query);
}
