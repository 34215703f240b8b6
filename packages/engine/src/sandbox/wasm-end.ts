// Why a guest was ended or broke: its payload notes it beside its changes, and inspect shows it. The folder is the payload's, so what is
// in it is not believed to be a file, small or whole.
import { closeSync, constants, fstatSync, openSync, readSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { errorCode, type LapError } from "@lapstrake/base";
import { handoverDir } from "./handover.ts";

const FILE = "end.json";
const MAX_BYTES = 2048;
/** Nothing but printable text goes to a terminal. */
const TEXT = /^[\x20-\x7e]{1,1000}$/;

/** The last end says nothing of this run. */
export function clearEnd(dir: string): void {
  rmSync(join(handoverDir(dir), FILE), { force: true });
}

/** Notes the error that a guest ended with. */
export function noteEnd(dir: string, { code, message }: LapError): void {
  writeFileSync(join(handoverDir(dir), FILE), JSON.stringify({ code, message }), { mode: 0o600 });
}

/** `ERR_LAP_WASM_TIMEOUT: the guest ran longer than 300 ms`; empty for a guest that ended by itself. */
export function endText(dir: string): string {
  try {
    const { code, message } = JSON.parse(readSmall(join(handoverDir(dir), FILE))) as Record<string, unknown>;
    const text = `${String(code)}: ${String(message)}`;
    return TEXT.test(text) ? text : "";
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) return "";
    if (["ENOENT", "ENOTDIR", "ELOOP", "ENXIO"].includes(errorCode(error) ?? "")) return "";
    throw error;
  }
}

/** The text of a regular file; no link is followed and nothing is waited for. */
function readSmall(path: string): string {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    if (!fstatSync(fd).isFile()) return "";
    const bytes = Buffer.alloc(MAX_BYTES);
    return bytes.toString("utf8", 0, readSync(fd, bytes));
  } finally {
    closeSync(fd);
  }
}
