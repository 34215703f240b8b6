// A point in time as docker's --since and --until take it: RFC 3339, seconds since the epoch with a fraction, or how long ago.
import { LapError, parseDurationMs, type Timespec } from "@lapstrake/base";

/** Throws `ERR_LAP_FLAG_VALUE` in docker's words. */
export function parseMoment(text: string): Timespec {
  const epoch = /^(\d+)(?:\.(\d{1,9}))?$/.exec(text);
  if (epoch !== null) return { sec: Number(epoch[1]), nsec: Number((epoch[2] ?? "").padEnd(9, "0")) };
  const date = /^(\d{4}-\d\d-\d\d(?:T[\d:]+)?)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)?$/.exec(text);
  if (date !== null && !Number.isNaN(Date.parse(date[1]! + (date[3] ?? "")))) {
    const ms = Date.parse(date[1]! + (date[3] ?? ""));
    return { sec: Math.floor(ms / 1000), nsec: Number((date[2] ?? "").padEnd(9, "0")) };
  }
  return ago(text);
}

function ago(text: string): Timespec {
  try {
    const ms = Date.now() - parseDurationMs(text);
    return { sec: Math.floor(ms / 1000), nsec: Math.floor((ms % 1000) * 1e6) };
  } catch (cause) {
    const message = `failed to parse value as time or duration: "${text}"`;
    throw new LapError("invalidArgument", "ERR_LAP_FLAG_VALUE", message, { cause });
  }
}

/** {@link parseMoment} in milliseconds since the epoch. */
export function momentMs(text: string): number {
  const { sec, nsec } = parseMoment(text);
  return sec * 1000 + nsec / 1e6;
}
