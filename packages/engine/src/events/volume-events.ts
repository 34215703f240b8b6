// Events of volumes, with docker's attributes.
import type { ContainerRecord } from "../state/record.ts";
import { emit, type EventSink } from "./emit.ts";

/** Says that a volume was made or is gone. */
export function emitVolume(sink: EventSink, action: "create" | "destroy", name: string): void {
  emit(sink, "volume", action, name, { driver: "local" });
}

/** Says of every volume of a container that it is mounted there, or no longer. */
export function emitMounts(sink: EventSink, record: ContainerRecord, action: "mount" | "unmount"): void {
  for (const { type, source, target, readOnly } of record.mounts ?? []) {
    if (type !== "volume") continue;
    const where = { destination: target, propagation: "", "read/write": String(!readOnly) };
    emit(sink, "volume", action, source, {
      container: record.id,
      driver: "local",
      ...(action === "mount" ? where : {}),
    });
  }
}
