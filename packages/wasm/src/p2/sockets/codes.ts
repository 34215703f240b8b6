// Failures of wasi:sockets 0.2: the enum error-code, as jco's glue takes it.
import { SocketFailure } from "../../sockets/port.ts";

/** Codes that 0.2 has no name for. */
const OLDER: Readonly<Record<string, string>> = { "connection-broken": "connection-reset", other: "unknown" };

/** The code of a failed call; throws on what is none. */
export function socketCode(error: unknown): string {
  if (!(error instanceof SocketFailure)) throw error;
  return OLDER[error.code] ?? error.code;
}

/** Runs `call`; its failure is thrown as a code. */
export function coded<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw socketCode(error);
  }
}

/** 0 is no size, time or count. */
export function positive<T extends number | bigint>(value: T): T {
  if (value > 0) return value;
  throw "invalid-argument";
}
