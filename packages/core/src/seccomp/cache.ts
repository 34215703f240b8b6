// Compiled filters of this process by what they were compiled from: containers of one engine mostly share a profile.
import { createHash } from "node:crypto";
import { compileSeccomp } from "./compile.ts";
import type { CompiledSeccomp, SeccompOptions, UncheckedSpec } from "./types.ts";

/** A filter is some kilobytes; a process that starts many different containers keeps the latest. */
const MAX_ENTRIES = 16;

const cache = new Map<string, CompiledSeccomp>();

function keyOf(spec: UncheckedSpec, options: SeccompOptions): string {
  const text = JSON.stringify([spec, options], (_, value: unknown) =>
    typeof value === "bigint" ? `bigint ${value}` : value,
  );
  return createHash("sha256").update(text).digest("base64");
}

/** {@link compileSeccomp}, remembering the last 16 filters; what it returns is shared and must not be changed. */
export function cachedSeccomp(spec: UncheckedSpec, options: SeccompOptions): CompiledSeccomp {
  const key = keyOf(spec, options);
  const compiled = cache.get(key) ?? compileSeccomp(spec, options);
  // The latest used is the last in the order of a Map; the first goes.
  cache.delete(key);
  cache.set(key, compiled);
  if (cache.size > MAX_ENTRIES) cache.delete(cache.keys().next().value!);
  return compiled;
}
