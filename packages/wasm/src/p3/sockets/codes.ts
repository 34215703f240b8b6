// Failures of wasi:sockets 0.3: the variant error-code, as jco's glue takes it.
import { SocketFailure } from "../../sockets/port.ts";

/** error-code. */
export interface SocketCode {
  readonly tag: string;
  readonly val?: string;
}

/** The code of a failed call; throws on what is none. */
export function socketCode(error: unknown): SocketCode {
  if (!(error instanceof SocketFailure)) throw error;
  return error.code === "other" ? { tag: "other", val: error.message } : { tag: error.code };
}

/** Runs `call`; its failure is thrown as a code. */
export function coded<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw socketCode(error);
  }
}

/** The same for what takes time. */
export async function codedLater<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw socketCode(error);
  }
}
