// Sizes and durations as people type them and as Docker prints them (docker/go-units).
import { LapError } from "./errors.ts";

const BINARY: Readonly<Record<string, number>> = { "": 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40, p: 2 ** 50 };
const DECIMAL_SUFFIX = ["B", "kB", "MB", "GB", "TB", "PB", "EB"];
const BINARY_SUFFIX = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];

/** Bytes of `512m`, `1.5g`, `64KiB`, `1000` (1 k is 1024, as in Docker's memory flags). Throws `ERR_LAP_SIZE_INVALID`. */
export function parseSize(text: string): number {
  const match = /^(\d+(?:\.\d+)?) ?([kmgtp]?)(?:i?b)?$/i.exec(text.trim());
  const factor = match === null ? undefined : BINARY[match[2]!.toLowerCase()];
  const bytes = match === null || factor === undefined ? Number.NaN : Math.trunc(Number(match[1]) * factor);
  if (!Number.isSafeInteger(bytes)) {
    const [, suffix] = match === null ? (/^[\d. ]*\d ?([^\d. ]+)$/.exec(text) ?? []) : [];
    const what = suffix === undefined ? `size: '${text}'` : `suffix: '${suffix.toLowerCase()}'`;
    throw new LapError("invalidArgument", "ERR_LAP_SIZE_INVALID", `invalid ${what}`, {
      hint: "a size is a number and an optional unit b, k, m or g, for example 512m",
    });
  }
  return bytes;
}

function formatScaled(value: number, base: number, suffixes: readonly string[], digits: number): string {
  let scaled = value;
  let unit = 0;
  while (scaled >= base && unit < suffixes.length - 1) {
    scaled /= base;
    unit++;
  }
  return `${Number(scaled.toPrecision(digits))}${suffixes[unit]}`;
}

/** Decimal size as `docker images` prints it: `8.83MB`. Three significant digits unless told. */
export function formatSize(bytes: number, digits = 3): string {
  return formatScaled(bytes, 1000, DECIMAL_SUFFIX, digits);
}

/** Binary size as `docker stats` prints it: `2.2MiB`. Four significant digits. */
export function formatBinarySize(bytes: number): string {
  return formatScaled(bytes, 1024, BINARY_SUFFIX, 4);
}

/** How long ago in Docker's words: `Less than a second`, `34 seconds`, `About a minute`, `2 hours` … */
export function formatAgo(ms: number): string {
  const seconds = Math.trunc(ms / 1000);
  const minutes = Math.trunc(seconds / 60);
  const hours = Math.trunc((seconds + 1800) / 3600);
  if (seconds < 1) return "Less than a second";
  if (seconds === 1) return "1 second";
  if (seconds < 60) return `${seconds} seconds`;
  if (minutes === 1) return "About a minute";
  if (minutes < 60) return `${minutes} minutes`;
  if (hours === 1) return "About an hour";
  if (hours < 48) return `${hours} hours`;
  if (hours < 24 * 7 * 2) return `${Math.trunc(hours / 24)} days`;
  if (hours < 24 * 30 * 2) return `${Math.trunc(hours / 24 / 7)} weeks`;
  if (hours < 24 * 365 * 2) return `${Math.trunc(hours / 24 / 30)} months`;
  return `${Math.trunc(hours / 24 / 365)} years`;
}

const DURATION_MS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

/** Milliseconds of a Go duration (`1m30s`, `500ms`). Throws `ERR_LAP_DURATION_INVALID`. */
export function parseDurationMs(text: string): number {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g)];
  if (parts.length === 0 || parts.map((part) => part[0]).join("") !== text) {
    throw new LapError("invalidArgument", "ERR_LAP_DURATION_INVALID", `invalid duration "${text}"`, {
      hint: "a duration is numbers with units ms, s, m or h, for example 1m30s",
    });
  }
  return parts.reduce((sum, part) => sum + Number(part[1]) * DURATION_MS[part[2]!]!, 0);
}

/** RFC 3339 with nine fractional digits in UTC, as Docker's log and inspect times. */
export function formatTimestamp(sec: number, nsec: number): string {
  return `${new Date(sec * 1000).toISOString().slice(0, 19)}.${String(nsec).padStart(9, "0")}Z`;
}
