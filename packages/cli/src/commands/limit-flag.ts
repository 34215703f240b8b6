// `--limit KIND=VALUE`: bounds of a Wasm guest that docker has no flag for.
import { LapError, parseSize } from "@lapstrake/base";
import type { GuestLimits } from "@lapstrake/engine";

const DURATION = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/;
const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

const KINDS = new Map<string, (value: string) => GuestLimits | undefined>(
  Object.entries({
    timeout: (value: string) => named("timeoutMs", durationMs(value)),
    cpu: (value: string) => named("cpuMs", durationMs(value)),
    output: (value: string) => named("outputBytes", parseSize(value)),
    files: (value: string) => named("openFiles", count(value)),
    processes: (value: string) => named("processes", count(value)),
    disk: (value: string) => named("filesystemBytes", parseSize(value)),
  }),
);

/** The bounds that all `--limit`s together set. Throws `ERR_LAP_LIMIT_INVALID`. */
export function guestLimits(lines: readonly string[]): GuestLimits | undefined {
  if (lines.length === 0) return undefined;
  let limits: GuestLimits = {};
  for (const line of lines) {
    const at = line.indexOf("=");
    const limit = KINDS.get(line.slice(0, Math.max(at, 0)))?.(line.slice(at + 1));
    if (limit === undefined) throw invalid(line);
    limits = { ...limits, ...limit };
  }
  return limits;
}

function named(name: keyof GuestLimits, value: number | undefined): GuestLimits | undefined {
  return value === undefined ? undefined : { [name]: value };
}

function durationMs(text: string): number | undefined {
  const [, amount, unit = "s"] = DURATION.exec(text) ?? [];
  return amount === undefined ? undefined : Number(amount) * UNIT_MS[unit]!;
}

function count(text: string): number | undefined {
  return /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}

function invalid(line: string): LapError {
  return new LapError("invalidArgument", "ERR_LAP_LIMIT_INVALID", `invalid --limit: "${line}"`, {
    hint: `write ${[...KINDS.keys()].join("=, ")}= and a value, as in --limit timeout=5s`,
  });
}
