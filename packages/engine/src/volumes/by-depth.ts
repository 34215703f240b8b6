// The order of mounts: parents before what is mounted in them.
import type { RecordMount } from "./types.ts";

/** Mounts by the depth of their targets; those of the same depth stay in order. */
export function byDepth(mounts: readonly RecordMount[]): RecordMount[] {
  const depth = ({ target }: RecordMount): number => target.split("/").length;
  return mounts.toSorted((a, b) => depth(a) - depth(b));
}
