// Attaching to what runs, and what is told of a connection: docker's `attach`, `detach` and `resize`.
import { attach, type Attachment } from "@lapstrake/core";
import type { Engine } from "../engine.ts";
import { emitContainer } from "../events/emit.ts";
import { attachedTo } from "../sandbox/wasm-signals.ts";
import type { ContainerRecord } from "../state/record.ts";

/** Connects to a running container's standard streams. */
export async function attachContainer(
  engine: Engine,
  record: ContainerRecord,
  options: { readonly stdin: boolean },
): Promise<Attachment> {
  emitContainer(engine.context, record, "attach");
  return attachedTo(record, await attach(engine.dir(record), { stdin: options.stdin, stdout: true, stderr: true }));
}

/** A person's keys ended a connection; the container runs on. */
export function sayDetached(engine: Engine, record: ContainerRecord): void {
  emitContainer(engine.context, record, "detach");
}

/** The terminal has another size. */
export function sayResized(engine: Engine, record: ContainerRecord, rows: number, columns: number): void {
  emitContainer(engine.context, record, "resize", { height: String(rows), width: String(columns) });
}
