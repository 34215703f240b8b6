// The vocabulary of the seccomp compiler: what goes in as an OCI profile, in checked form, and what comes out.
import type { SeccompSpec } from "@lapstrake/base";
import type { ArchName } from "./arches.ts";

/** How {@link compileSeccomp} treats what a profile leaves open. */
export interface SeccompOptions {
  /** Architecture of the host: always filtered, also when the profile does not name it. */
  readonly arch: "x86_64" | "aarch64";
  /**
   * `enosys` answers ENOSYS to calls with a number above all those the profile names, as runc does, so that a C library
   * falls back instead of failing on a call newer than the profile. It has no effect where the default action lets calls
   * through. `default` gives them the default action, as libseccomp does. Default: `default`.
   */
  readonly newer?: "default" | "enosys";
}

/** A filter for seccomp(2). */
export interface CompiledSeccomp {
  /** `struct sock_filter[]`, little endian, 8 bytes an instruction, 1..4096 of them. */
  readonly program: Uint8Array;
  /** SECCOMP_FILTER_FLAG_* for seccomp(2). */
  readonly flags: number;
  /** True when seccomp(2) returns a listener descriptor that somebody has to serve (SCMP_ACT_NOTIFY). */
  readonly listener: boolean;
  /** What was ignored and why; to be shown to the person. */
  readonly warnings: readonly string[];
}

/** The comparison operators of the specification, without their prefix. */
export type Operator = "NE" | "LT" | "LE" | "EQ" | "GE" | "GT" | "MASKED_EQ";

/** One test of an argument; all numbers unsigned 64 bit. For MASKED_EQ `mask` selects the bits of the argument. */
export interface Condition {
  readonly index: number;
  readonly op: Operator;
  readonly value: bigint;
  readonly mask: bigint;
}

/** A rule that was checked: every condition must hold (several rules of one call are alternatives). */
export interface Rule {
  readonly names: readonly string[];
  /** SECCOMP_RET_* with its data. */
  readonly action: number;
  readonly conditions: readonly Condition[];
}

/** A profile that was checked. */
export interface Profile {
  readonly defaultAction: number;
  readonly arches: readonly ArchName[];
  readonly flags: number;
  readonly rules: readonly Rule[];
  readonly warnings: readonly string[];
}

/** The profile as it comes from a config.json: nothing in it was checked. */
export type UncheckedSpec = SeccompSpec;
