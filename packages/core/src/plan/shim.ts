// The helper's path, or a clear refusal.
import { LapError } from "@lapstrake/base";
import type { HostFacts } from "../facts/types.ts";

/** Path of lap-shim; throws `ERR_LAP_NATIVE_MISSING`. */
export function requireShim(facts: HostFacts): string {
  if (facts.shim !== undefined) return facts.shim;
  throw new LapError("unavailable", "ERR_LAP_NATIVE_MISSING", "the native helper lap-shim is not there", {
    hint: "install gcc and libc6-dev, then run: node native/build.mjs",
  });
}
