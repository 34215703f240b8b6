// `--storage-opt size=`: how much a container may write. A Wasm container's changes are in memory and are bounded there; a Linux
// container gets a filesystem of that size for them (sandbox/sized-upper.ts).
import { LapError, parseSize } from "@lapstrake/base";
import type { CreateRequest } from "./request.ts";

/** Bytes of `size`; undefined when it is not asked for. Throws `ERR_LAP_STORAGE_OPTION`, `ERR_LAP_SIZE_INVALID`. */
export function storageBytes({ storageOptions = {} }: CreateRequest): number | undefined {
  const unknown = Object.keys(storageOptions).find((name) => name.toLowerCase() !== "size");
  if (unknown !== undefined) throw storageError(`unknown option ${unknown}`);
  const size = Object.values(storageOptions)[0];
  return size === undefined ? undefined : parseSize(size);
}

/** What a storage option is wrong about. */
export function storageError(message: string, hint?: string): LapError {
  return new LapError("invalidArgument", "ERR_LAP_STORAGE_OPTION", message, hint === undefined ? {} : { hint });
}
