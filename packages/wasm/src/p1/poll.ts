// poll_oneoff: waits for the first of several clocks and descriptors. Files are always ready; streams tell.
import { CLOCK, CLOCK_ABSTIME, EVENT, EVENT_HANGUP, RIGHT, WASI } from "./abi.ts";
import { errnoOf } from "./errno.ts";
import type { Guest, HostFunctions } from "./guest.ts";
import type { GuestInput } from "../io/ports.ts";
import { waitForAny } from "../io/wait.ts";

const EVENT_BYTES = 32;
/** Above what select-like loops use; bounds the host's work per call. */
const MAX_SUBSCRIPTIONS = 4096;

interface Ready {
  readonly userdata: bigint;
  readonly type: number;
  readonly error: number;
  readonly bytes: number;
  readonly hangup: boolean;
}

/** One subscription: asks whether it has come; `dueNs` on the monotonic clock, `input` when it waits for bytes. */
interface Watch {
  readonly ready: () => Ready | undefined;
  readonly dueNs: bigint | undefined;
  readonly input: GuestInput | undefined;
}

/** Host calls that wait. */
export function pollCalls(guest: Guest): HostFunctions {
  return {
    poll_oneoff(subscriptions: number, events: number, count: number, result: number): number {
      if (count === 0 || count >>> 0 > MAX_SUBSCRIPTIONS) return WASI.EINVAL;
      const watches: Watch[] = [];
      for (let i = 0; i < count; i++) {
        watches.push(readSubscription(guest, (subscriptions >>> 0) + i * guest.layouts.subscriptionSize));
      }
      const ready = waitForFirst(guest, watches);
      for (const [index, event] of ready.entries()) writeEvent(guest, (events >>> 0) + index * EVENT_BYTES, event);
      guest.memory.setU32(result, ready.length);
      return WASI.SUCCESS;
    },
  };
}

function waitForFirst(guest: Guest, watches: readonly Watch[]): Ready[] {
  const waiting = watches.map(({ ready, dueNs, input }) => ({ isReady: () => ready() !== undefined, dueNs, input }));
  waitForAny(guest.interrupt, guest.clock, waiting);
  return watches.flatMap((watch) => watch.ready() ?? []);
}

function readSubscription(guest: Guest, at: number): Watch {
  const { view } = guest.memory;
  const userdata = view.getBigUint64(at, true);
  const type = view.getUint8(at + 8);
  if (type === EVENT.clock) return clockWatch(guest, userdata, at + guest.layouts.clockAt);
  const fd = view.getUint32(at + 16, true);
  if (type === EVENT.fdRead || type === EVENT.fdWrite) return fdWatch(guest, userdata, type, fd);
  return always({ userdata, type, error: WASI.EINVAL, bytes: 0, hangup: false });
}

function always(event: Ready): Watch {
  return { ready: () => event, dueNs: undefined, input: undefined };
}

function clockWatch(guest: Guest, userdata: bigint, at: number): Watch {
  const { view } = guest.memory;
  const id = view.getUint32(at, true);
  const timeout = view.getBigUint64(at + 8, true);
  const absolute = (view.getUint16(at + 24, true) & CLOCK_ABSTIME) !== 0;
  const event = { userdata, type: EVENT.clock, bytes: 0, hangup: false };
  if (id !== CLOCK.realtime && id !== CLOCK.monotonic) return always({ ...event, error: WASI.EINVAL });
  const now = guest.clock.monotonicNs();
  const base = id === CLOCK.realtime ? guest.clock.realtimeNs() : now;
  const dueNs = absolute ? now + (timeout - base) : now + timeout;
  return {
    ready: () => (guest.clock.monotonicNs() >= dueNs ? { ...event, error: WASI.SUCCESS } : undefined),
    dueNs,
    input: undefined,
  };
}

function fdWatch(guest: Guest, userdata: bigint, type: number, fd: number): Watch {
  const event = { userdata, type, error: WASI.SUCCESS, hangup: false };
  try {
    const { object } = guest.fds.withRights(fd, RIGHT.pollFdReadwrite);
    if (object.kind === "file") {
      const left = guest.fs.getattr(object.ino).size - object.position;
      return always({ ...event, bytes: type === EVENT.fdRead ? Math.max(0, left) : 1 });
    }
    if (object.kind === "dir" || type === EVENT.fdWrite) return always({ ...event, bytes: 1 });
    return inputWatch(object.input, event);
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === undefined) throw error;
    return always({ ...event, error: errno, bytes: 0 });
  }
}

function inputWatch(input: GuestInput | undefined, event: Omit<Ready, "bytes">): Watch {
  if (input === undefined) return always({ ...event, error: WASI.EBADF, bytes: 0 });
  const ready = (): Ready | undefined => {
    const bytes = input.ready();
    if (bytes === 0) return undefined;
    return { ...event, bytes: Math.max(0, bytes), hangup: bytes < 0 };
  };
  return { ready, dueNs: undefined, input };
}

function writeEvent(guest: Guest, at: number, event: Ready): void {
  const { view } = guest.memory;
  view.setBigUint64(at, event.userdata, true);
  view.setUint16(at + 8, event.error, true);
  view.setUint8(at + 10, event.type);
  view.setBigUint64(at + 16, BigInt(event.bytes), true);
  view.setUint16(at + 24, event.hangup ? EVENT_HANGUP : 0, true);
}
