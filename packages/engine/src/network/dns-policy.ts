// What to do with one DNS message: answer it, refuse it, or forward it. Pure.
import { isLapError } from "@lapstrake/base";
import { decodeQuery, encodeAnswers, encodeFailure, RCODE, type Query } from "./dns-message.ts";
import { lookUp, type Zone } from "./dns-zone.ts";

/** The decision: bytes to send back, or a query to forward. */
export type DnsAction =
  | { readonly kind: "reply"; readonly bytes: Uint8Array }
  | { readonly kind: "forward"; readonly query: Query };

/** How a message came and what its network allows. */
export interface DnsContext {
  /** The zones of the networks that the asking container is in, first one first. */
  readonly zones: readonly Zone[];
  /** False inside internal networks: nothing leaves, so what is not known does not exist. */
  readonly forwards: boolean;
  /** Bytes an answer may have: 512 over UDP, 65535 over TCP. */
  readonly maxBytes: number;
  /** Counts up, for answers that take turns. */
  readonly turn: number;
}

const OPCODE_QUERY = 0;
const CLASS_IN = 1;
const CLASS_ANY = 255;

function tryDecode(bytes: Uint8Array): Query | undefined {
  try {
    return decodeQuery(bytes);
  } catch (error) {
    if (isLapError(error, "invalidArgument")) return undefined;
    throw error;
  }
}

function failure(bytes: Uint8Array, rcode: number, query?: Query): DnsAction {
  return { kind: "reply", bytes: encodeFailure(bytes, rcode, query) };
}

/** Decides; undefined for what deserves no answer (noise too short to answer, or a response, which must never be answered). */
export function decide(bytes: Uint8Array, context: DnsContext): DnsAction | undefined {
  if (bytes.length < 12 || (bytes[2]! & 0x80) !== 0) return undefined;
  const query = tryDecode(bytes);
  if (query === undefined) return failure(bytes, RCODE.formatError);
  if (query.opcode !== OPCODE_QUERY) return failure(bytes, RCODE.notImplemented, query);
  if (query.class === CLASS_IN || query.class === CLASS_ANY) {
    for (const zone of context.zones) {
      const answers = lookUp(zone, query, context.turn);
      if (answers !== undefined)
        return { kind: "reply", bytes: encodeAnswers(bytes, query, answers, context.maxBytes) };
    }
  }
  return context.forwards ? { kind: "forward", query } : failure(bytes, RCODE.nameError, query);
}
