// The fstflags of *_filestat_set_times as a change of attributes.
import type { AttrChange } from "@lapstrake/layers";
import type { GuestClock } from "../io/clock.ts";
import { FSTFLAG, WASI } from "./abi.ts";
import { wasiError } from "./errno.ts";

const NS_PER_SEC = 1_000_000_000n;

interface Time {
  readonly sec: number;
  readonly nsec: number;
}

/** Times in nanoseconds since the epoch; EINVAL when a time is asked for twice. */
export function timesChange(clock: GuestClock, atime: bigint, mtime: bigint, flags: number): AttrChange {
  const { atim, atimNow, mtim, mtimNow } = FSTFLAG;
  if ((flags & ~(atim | atimNow | mtim | mtimNow)) !== 0) throw wasiError(WASI.EINVAL);
  const access = choose(clock, atime, (flags & atim) !== 0, (flags & atimNow) !== 0);
  const modify = choose(clock, mtime, (flags & mtim) !== 0, (flags & mtimNow) !== 0);
  return {
    ...(access === undefined ? {} : { atimeSec: access.sec, atimeNsec: access.nsec }),
    ...(modify === undefined ? {} : { mtimeSec: modify.sec, mtimeNsec: modify.nsec }),
  };
}

function choose(clock: GuestClock, given: bigint, set: boolean, now: boolean): Time | undefined {
  if (set && now) throw wasiError(WASI.EINVAL);
  if (!set && !now) return undefined;
  const ns = now ? clock.realtimeNs() : BigInt.asUintN(64, given);
  return { sec: Number(ns / NS_PER_SEC), nsec: Number(ns % NS_PER_SEC) };
}
