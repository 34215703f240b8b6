// Compiled filters by what they were compiled from: containers mostly share a profile. Those of the default profile come
// with the program, because a command starts one container and would compile with code that V8 sees for the first time.
import { createHash } from "node:crypto";
import { compileSeccomp } from "./compile.ts";
import { FLAG_SPEC_ALLOW } from "./numbers.ts";
import { defaultProfileName } from "./profile/default.ts";
import { PRECOMPILED, PRECOMPILED_NAMES } from "./tables/precompiled.ts";
import type { CompiledSeccomp, SeccompOptions, UncheckedSpec } from "./types.ts";

/** A filter is some kilobytes; a process that starts many different containers keeps the latest, each under two keys. */
const MAX_ENTRIES = 32;

const cache = new Map<string, CompiledSeccomp>();

/** Where a command that ends soon keeps filters for the next one, by the whole text of what they were compiled from. */
export interface FilterShelf {
  find(text: string): CompiledSeccomp | undefined;
  keep(text: string, compiled: CompiledSeccomp): void;
}

let shelf: FilterShelf | undefined;

/** Looks for filters on `given` before compiling, and puts there what was compiled. */
export function useFilterShelf(given: FilterShelf): void {
  shelf = given;
}

function textOf(spec: UncheckedSpec, options: SeccompOptions): string {
  return JSON.stringify([spec, options], (_, value: unknown) =>
    typeof value === "bigint" ? `bigint ${value}` : value,
  );
}

/** Hash of everything that a filter depends on. */
export function keyOf(spec: UncheckedSpec, options: SeccompOptions): string {
  return createHash("sha256").update(textOf(spec, options)).digest("base64");
}

function precompiled(key: string): CompiledSeccomp | undefined {
  const program = PRECOMPILED.get(key);
  if (program === undefined) return undefined;
  return {
    program: new Uint8Array(Buffer.from(program, "base64")),
    flags: FLAG_SPEC_ALLOW,
    listener: false,
    warnings: [],
  };
}

/** The key of a default profile's filter without hashing: node:crypto costs a short command 4 ms. */
function nameOf(spec: UncheckedSpec, options: SeccompOptions): string | undefined {
  const name = defaultProfileName(spec);
  const isPlain = options.newer === "enosys" && name?.startsWith(`${options.arch} `) === true;
  return isPlain ? PRECOMPILED_NAMES.get(name) : undefined;
}

// The latest used is the last in the order of a Map; the first goes.
function remember(key: string, compiled: CompiledSeccomp): CompiledSeccomp {
  cache.delete(key);
  cache.set(key, compiled);
  if (cache.size > MAX_ENTRIES) cache.delete(cache.keys().next().value!);
  return compiled;
}

function fromShelf(spec: UncheckedSpec, options: SeccompOptions, text: string): CompiledSeccomp {
  const found = shelf?.find(text);
  if (found !== undefined) return found;
  const key = keyOf(spec, options);
  const compiled = cache.get(key) ?? precompiled(key) ?? compileSeccomp(spec, options);
  shelf?.keep(text, compiled);
  return remember(key, compiled);
}

/** {@link compileSeccomp}, remembering the last filters; what it returns is shared and must not be changed. */
export function cachedSeccomp(spec: UncheckedSpec, options: SeccompOptions): CompiledSeccomp {
  const name = nameOf(spec, options);
  const known = name === undefined ? undefined : (cache.get(name) ?? precompiled(name));
  if (name !== undefined && known !== undefined) return remember(name, known);
  const text = textOf(spec, options);
  return remember(text, cache.get(text) ?? fromShelf(spec, options, text));
}
