// Bounded parsing of JSON that comes from outside: size, depth and shape are checked before anything else sees it.
import { LapError } from "./errors.ts";

const MAX_DEPTH = 64;

/** Parses at most `maxBytes` of UTF-8 JSON, nested at most 64 deep. Throws `ERR_LAP_JSON_INVALID`; `what` names the document. */
export function parseJson(bytes: Uint8Array, what: string, maxBytes: number): unknown {
  if (bytes.length > maxBytes) {
    throw invalidJson(what, `it has ${bytes.length} bytes, more than the limit of ${maxBytes}`);
  }
  checkDepth(bytes, what);
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw invalidJson(what, cause instanceof Error ? cause.message : String(cause), cause);
  }
}

/** Parses and requires a JSON object. */
export function parseJsonObject(bytes: Uint8Array, what: string, maxBytes: number): Record<string, unknown> {
  const value = parseJson(bytes, what, maxBytes);
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw invalidJson(what, "it is not an object");
  return value as Record<string, unknown>;
}

function checkDepth(bytes: Uint8Array, what: string): void {
  let depth = 0;
  let inString = false;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i]!;
    if (inString) {
      if (byte === 0x5c) i++;
      else if (byte === 0x22) inString = false;
    } else if (byte === 0x22) inString = true;
    else if (byte === 0x7b || byte === 0x5b) {
      if (++depth > MAX_DEPTH) throw invalidJson(what, `it is nested more than ${MAX_DEPTH} deep`);
    } else if (byte === 0x7d || byte === 0x5d) depth--;
  }
}

function invalidJson(what: string, why: string, cause?: unknown): LapError {
  return new LapError("invalidArgument", "ERR_LAP_JSON_INVALID", `invalid ${what}: ${why}`, { cause });
}
