// What `system check` finds: one value per thing that is not as it should be, with the way to mend it where there is one.
import { lstatSync } from "node:fs";
import { errorCode } from "@lapstrake/base";

/**
 * `damage`: something that was whole is not, content may be lost; `unsettled`: a process died half-way and its work is to be ended
 * or taken back; `waste`: bytes that nobody needs. */
export type ProblemKind = "damage" | "unsettled" | "waste";

/** One finding of a checker. */
export interface Problem {
  readonly kind: ProblemKind;
  /** Path, id, name or digest. */
  readonly subject: string;
  readonly text: string;
  /** Mends it; absent where a person must decide, which `text` then says. */
  readonly repair?: () => void | Promise<void>;
}

/** A finding as it is reported. */
export interface Finding {
  readonly kind: ProblemKind;
  readonly subject: string;
  readonly text: string;
  readonly repaired: boolean;
}

/** How to check. */
export interface CheckOptions {
  /** Mend what can be mended. */
  readonly repair?: boolean;
  /** Compare sizes of blobs only, instead of hashing each. */
  readonly quick?: boolean;
  /** What is younger may be another process's work in progress and is not looked at; milliseconds, default ten minutes. */
  readonly minAgeMs?: number;
}

/** Default of `minAgeMs`: nothing is made or deleted for this long. */
export const MIN_AGE_MS: number = 10 * 60 * 1000;

/** Milliseconds since `path` was made or renamed; undefined when it is gone. */
export function ageMs(path: string): number | undefined {
  try {
    return Date.now() - lstatSync(path).ctimeMs;
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

/** True when `path` is there and nobody can be working on it any more. */
export function isSettled(path: string, minAgeMs: number): boolean {
  const age = ageMs(path);
  return age !== undefined && age >= minAgeMs;
}
