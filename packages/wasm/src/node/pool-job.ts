// What the pool and its workers tell each other.
import type { RingShare } from "../io/ring.ts";
import type { WasmLimits } from "../run/run-module.ts";
import type { WasmModule } from "../webassembly.ts";
import type { ShippedTree } from "./ship.ts";

/** One guest to run. */
export interface Job {
  /** Absent: what the first argument names. */
  readonly module: WasmModule | undefined;
  /** Lower layers by number: a worker keeps what it was sent once. */
  readonly base: { readonly id: number; readonly tree: ShippedTree | undefined };
  readonly maxBytes: number | undefined;
  readonly maxInodes: number | undefined;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly limits: WasmLimits;
  readonly word: Int32Array<SharedArrayBuffer>;
  readonly stdin: RingShare;
  readonly stdout: RingShare;
  readonly stderr: RingShare;
}

/** How it ended; `error` as plain fields, because errors lose theirs on the way. */
export interface JobDone {
  readonly exit: {
    readonly exitCode: number;
    readonly reason: "exit" | "trap" | "limit" | "signal";
    readonly signal?: number;
  };
  readonly error?: {
    readonly kind: string;
    readonly code: string;
    readonly message: string;
    readonly hint?: string;
    readonly detail?: unknown;
  };
  /** The run could not start: `error` is to be thrown. */
  readonly failed: boolean;
  readonly upper: ShippedTree;
}

/** Layers a worker keeps in memory. */
const MAX_BASES = 4;

/** Drops the first of too many; both sides do it at the same moment, so they agree on what is known. */
export function forgetOldest(bases: Map<number, unknown> | Set<number>): void {
  if (bases.size <= MAX_BASES) return;
  for (const first of bases.keys()) {
    bases.delete(first);
    return;
  }
}
