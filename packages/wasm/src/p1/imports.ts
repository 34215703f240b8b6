// The import objects of both ABI versions: all groups of host calls, each behind one wrapper that turns throws into errno.
import { PREVIEW1, UNSTABLE, type Layouts } from "./layouts.ts";
import { dirCalls } from "./dir.ts";
import { errnoOf } from "./errno.ts";
import { fdIo } from "./fd-io.ts";
import { fdMeta } from "./fd-meta.ts";
import type { Guest, HostFunctions } from "./guest.ts";
import { pathCalls } from "./path.ts";
import { pathOpen } from "./path-open.ts";
import { pollCalls } from "./poll.ts";
import { processCalls } from "./process.ts";
import { sockCalls } from "./sock.ts";

/** Import module names and the layouts each implies. */
export const PREVIEW1_MODULES: Readonly<Record<Preview1Module, Layouts>> = {
  wasi_snapshot_preview1: PREVIEW1,
  wasi_unstable: UNSTABLE,
};

export type Preview1Module = "wasi_snapshot_preview1" | "wasi_unstable";

const GROUPS: readonly ((guest: Guest) => HostFunctions)[] = [
  fdIo,
  fdMeta,
  dirCalls,
  pathOpen,
  pathCalls,
  processCalls,
  pollCalls,
  sockCalls,
];

/** Every function of preview1 for one guest; the guest's own `layouts` decide the version. */
export function preview1Imports(guest: Guest): Record<string, HostFunction> {
  return guardedCalls(Object.assign({}, ...GROUPS.map((group) => group(guest))) as HostFunctions);
}

/** Host functions behind the wrapper that turns throws into errno. */
export function guardedCalls(calls: HostFunctions): Record<string, HostFunction> {
  return Object.fromEntries(
    Object.entries(calls).map(([name, call]) => [name, guarded(call as unknown as HostFunction)]),
  );
}

/** A function as WebAssembly calls it: numbers and bigints in, errno out. */
export type HostFunction = (...args: (number | bigint)[]) => number;
type Value = number | bigint;
type Loose = (...args: (Value | undefined)[]) => number;

/** Fixed parameters instead of a rest array: V8 then calls without allocating. */
function guarded(call: HostFunction): HostFunction {
  const loose = call as Loose;
  const narrow = (a?: Value, b?: Value, c?: Value, d?: Value, e?: Value): number => {
    try {
      return loose(a, b, c, d, e);
    } catch (error) {
      return toErrno(error);
    }
  };
  const wide = (
    a?: Value,
    b?: Value,
    c?: Value,
    d?: Value,
    e?: Value,
    f?: Value,
    g?: Value,
    h?: Value,
    i?: Value,
  ): number => {
    try {
      return loose(a, b, c, d, e, f, g, h, i);
    } catch (error) {
      return toErrno(error);
    }
  };
  // A call that takes its arguments as a list: too many for either.
  if (call.length === 0) return (...args) => tried(call, args);
  return call.length <= 5 ? narrow : wide;
}

function tried(call: HostFunction, args: readonly Value[]): number {
  try {
    return call(...args);
  } catch (error) {
    return toErrno(error);
  }
}

function toErrno(error: unknown): number {
  const errno = errnoOf(error);
  if (errno === undefined) throw error;
  return errno;
}
