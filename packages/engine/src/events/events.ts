// Reading events: those of the past, and those that happen while somebody reads.
import type { EngineContext } from "../context.ts";
import type { Timespec } from "@lapstrake/base";
import type { EngineEvent } from "./event.ts";
import { checkFilters, matchesFilters, type EventFilters } from "./filter.ts";
import { EventReader, watchEvents } from "./follow.ts";

/** Which events. */
export interface EventsRequest {
  /** From this time on; absent: only what happens from now on, unless `until` has passed. */
  readonly since?: Timespec;
  /** Ends at this time; absent: goes on until `signal`. */
  readonly until?: Timespec;
  readonly filters?: EventFilters;
  readonly signal?: AbortSignal;
}

/** How often somebody looks whether there is something that nobody tells. */
const LOOK_MS = 3_000;

/**
 * Events as they happen, from the moment of this call; `look` tells of what happened and was not told, and is called now and from time to
 * time. Throws `ERR_LAP_FILTER_INVALID`.
 */
export function readEvents(
  context: EngineContext,
  request: EventsRequest = {},
  look: () => void = () => undefined,
): AsyncIterableIterator<EngineEvent> {
  const { since, until, filters = {} } = request;
  checkFilters(filters);
  const { root } = context.paths;
  look();
  const watching = watchEvents(root);
  const reader = new EventReader(root);
  if (since === undefined && !isPast(until)) reader.skip();
  const isAsked = (event: EngineEvent): boolean =>
    (since === undefined || compare(event.time, since) >= 0) &&
    (until === undefined || compare(event.time, until) <= 0) &&
    matchesFilters(event, filters);
  const deadlineMs = until === undefined ? Infinity : until.sec * 1000 + Math.ceil(until.nsec / 1e6);
  const close = (): void => {
    watching[Symbol.dispose]();
    reader[Symbol.dispose]();
  };
  return closing(pump(reader, watching, isAsked, deadlineMs, request.signal, look), close, request.signal);
}

/** A generator that was never asked for anything runs none of its clean-up: then `close` is it. */
function closing(
  events: AsyncGenerator<EngineEvent, void, undefined>,
  close: () => void,
  signal: AbortSignal | undefined,
): AsyncIterableIterator<EngineEvent> {
  let isBegun = false;
  const unlessBegun = (): void => void (isBegun || close());
  signal?.addEventListener("abort", unlessBegun, { once: true });
  if (signal?.aborted === true) unlessBegun();
  return {
    next: () => {
      isBegun = true;
      return events.next();
    },
    return: () => {
      unlessBegun();
      return events.return();
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

async function* pump(
  reader: EventReader,
  watching: ReturnType<typeof watchEvents>,
  isAsked: (event: EngineEvent) => boolean,
  deadlineMs: number,
  signal: AbortSignal | undefined,
  look: () => void,
): AsyncGenerator<EngineEvent, void, undefined> {
  using _watching = watching;
  using _reader = reader;
  // Aborted before it began: all is closed.
  if (signal?.aborted ?? false) return;
  // Processes write in the order they come, which may differ a little from that of their times.
  yield* [...reader.drain()].filter(isAsked).toSorted((a, b) => compare(a.time, b.time));
  let lookedMs = Date.now();
  while (!(signal?.aborted ?? false) && Date.now() < deadlineMs) {
    await watching.next(deadlineMs, signal);
    if (Date.now() - lookedMs > LOOK_MS) {
      lookedMs = Date.now();
      look();
    }
    for (const event of reader.drain()) if (isAsked(event)) yield event;
  }
}

function isPast(until: Timespec | undefined): boolean {
  return until !== undefined && until.sec * 1000 < Date.now();
}

function compare(a: Timespec, b: Timespec): number {
  return a.sec - b.sec || a.nsec - b.nsec;
}
