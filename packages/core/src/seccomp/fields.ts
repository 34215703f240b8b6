// Reading values that nobody checked: each reader gives the value its type or throws the error that names its field.
import { LapError } from "@lapstrake/base";

/** An object of JSON. */
export type Json = Readonly<Record<string, unknown>>;

/** The error of a field that is wrong. */
export function invalid(field: string, why: string): LapError {
  return new LapError("invalidArgument", "ERR_LAP_SPEC_INVALID", `linux.seccomp${field}: ${why}`);
}

/** A value in an error, short. */
export function shown(value: unknown): string {
  const text = JSON.stringify(value, (_, part: unknown) => (typeof part === "bigint" ? Number(part) : part));
  return (text ?? "nothing").slice(0, 80);
}

/** The value as an object, or the field's error. */
export function object(value: unknown, field: string): Json {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Json;
  throw invalid(field, `must be an object, not ${shown(value)}`);
}

/** The value as a list; absent is empty, and so is null, as Go writes it. */
export function list(value: unknown, field: string): readonly unknown[] {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value)) return value as readonly unknown[];
  throw invalid(field, `must be a list, not ${shown(value)}`);
}
