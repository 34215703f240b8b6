// Where the compiled parts of this clone are.
import { arch, env } from "node:process";
import { join } from "node:path";

/** Folder of native/out for this machine; $LAP_NATIVE_OUT names another one, for tests of sources beside an older bundle. */
export const NATIVE_OUT: string =
  env["LAP_NATIVE_OUT"] ?? join(import.meta.dirname, "../../native/out", arch === "arm64" ? "aarch64" : "x86_64");

/** Absolute path of a compiled native part of this clone, whether it exists or not. */
export function nativePart(name: string): string {
  return join(NATIVE_OUT, name);
}
