// From the kernel's errno (what InodeFs throws) to WASI's, at the edge of every host call.
import { ERRNO, fsError, type ErrnoName, type FsError } from "@lapstrake/base";
import { WASI } from "./abi.ts";

const FROM_LINUX: ReadonlyMap<number, number> = new Map(
  (Object.entries(ERRNO) as [ErrnoName, number][]).flatMap(([name, linux]) => {
    const wasi = (WASI as Readonly<Record<string, number>>)[name];
    return wasi === undefined ? [] : [[linux, wasi] as const];
  }),
);
/** EOPNOTSUPP has no name of its own in WASI. */
const UNSUPPORTED: ReadonlySet<number> = new Set([ERRNO.EOPNOTSUPP, ERRNO.ENODATA]);

/** A WASI errno thrown inside the host; frozen and without a stack, because misses are common. */
export class WasiError {
  readonly wasi: number;
  constructor(wasi: number) {
    this.wasi = wasi;
    Object.freeze(this);
  }
}

const CACHE: readonly WasiError[] = Array.from({ length: 77 }, (_, wasi) => new WasiError(wasi));

/** The frozen error of a WASI errno. */
export function wasiError(wasi: number): WasiError {
  return CACHE[wasi] ?? new WasiError(wasi);
}

/** WASI errno of a positive kernel errno; EIO when WASI has no name for it. */
export function fromErrno(linux: number): number {
  return FROM_LINUX.get(linux) ?? (UNSUPPORTED.has(linux) ? WASI.ENOTSUP : WASI.EIO);
}

/** WASI errno of what a host call threw, or undefined when it is not a failed call (an exit, a defect of ours). */
export function errnoOf(error: unknown): number | undefined {
  if (error instanceof WasiError) return error.wasi;
  if (!(error instanceof Error)) return undefined;
  // A pointer outside the memory makes typed arrays and views throw a RangeError.
  if (error instanceof RangeError && !isStackOverflow(error)) return WASI.EFAULT;
  const errno = (error as { errno?: unknown }).errno;
  return typeof errno === "number" && errno < 0 ? fromErrno(-errno) : undefined;
}

/** V8 reports an exhausted stack as a RangeError too: that one must end the guest, not become an errno. */
function isStackOverflow(error: RangeError): boolean {
  return error.message.includes("call stack");
}

/** Turns lookup()'s negative errno into a throw; an inode number passes. */
export function mustIno(found: number): number {
  if (found < 0) throw kernelError(-found);
  return found;
}

function kernelError(errno: number): FsError {
  return fsError(errno);
}
