// The event of a prune: of no container, image, network or volume in particular, with the bytes that came back.
import { emit, type EventSink } from "./emit.ts";
import type { EventType } from "./event.ts";

export function emitPrune(sink: EventSink, type: EventType, bytes: number): void {
  emit(sink, type, "prune", "", { reclaimed: String(bytes) });
}
