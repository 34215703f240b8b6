// Failures of 0.3: the variant `error-code` of wasi:filesystem, thrown as a plain object for jco's glue.
import { codeOf } from "../p2/errors.ts";

/** error-code; `other` may carry a text. */
export interface ErrorCode {
  readonly tag: string;
  readonly val?: string;
}

/** Codes of 0.2 that 0.3 has no name for. */
const UNNAMED: ReadonlySet<string> = new Set(["would-block"]);

/** The code of a failed filesystem call; throws on what is none: an exit, a limit, a defect of ours. */
export function errorCode(error: unknown): ErrorCode {
  const code = codeOf(error);
  if (code === undefined) throw error;
  return UNNAMED.has(code) ? { tag: "other", val: code } : { tag: code };
}

/** Runs `call`; its failure is thrown as a code. */
export function coded<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw errorCode(error);
  }
}

/** The enum `error-code` of wasi:cli. */
export function cliErrorCode(error: unknown): string {
  const code = codeOf(error);
  if (code === undefined) throw error;
  return code === "pipe" ? code : "io";
}
