// `--storage-opt size=`: how much a container may write. A Wasm container's changes are in memory and are bounded there; the upper of a
// Linux container lies in a directory of the machine, which only a project quota could bound, and the store has none.
import { LapError, parseSize } from "@lapstrake/base";
import type { CreateRequest } from "./request.ts";

/** Bytes of `size`; undefined when it is not asked for. Throws `ERR_LAP_STORAGE_OPTION`, `ERR_LAP_SIZE_INVALID`. */
export function storageBytes({ storageOptions = {} }: CreateRequest): number | undefined {
  const unknown = Object.keys(storageOptions).find((name) => name.toLowerCase() !== "size");
  if (unknown !== undefined) throw storageError(`unknown option ${unknown}`);
  const size = Object.values(storageOptions)[0];
  return size === undefined ? undefined : parseSize(size);
}

/** Refuses a bound that nobody would hold. */
export function refuseStorageBound(request: CreateRequest): void {
  if (storageBytes(request) === undefined) return;
  const text = "--storage-opt is supported only for overlay over xfs with 'pquota' mount option";
  throw storageError(text, "bound a folder with --tmpfs FOLDER:size=…, and let the rest be --read-only");
}

function storageError(message: string, hint?: string): LapError {
  return new LapError("invalidArgument", "ERR_LAP_STORAGE_OPTION", message, hint === undefined ? {} : { hint });
}
