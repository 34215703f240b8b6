// A box as an image: its changes become one more layer. A running one is paused meanwhile.
import { parseReference } from "@lapstrake/base";
import { commitContainer } from "../containers/commit.ts";
import type { Engine } from "../engine.ts";
import type { ContainerRecord } from "../state/record.ts";
import type { Snapshot, SnapshotOptions } from "./types.ts";

/** Resolves when the image is in the store. */
export async function snapshotContainer(
  engine: Engine,
  record: ContainerRecord,
  { name, message, signal }: SnapshotOptions,
): Promise<Snapshot> {
  signal?.throwIfAborted();
  const { id } = await commitContainer(engine, record, {
    reference: name === undefined ? undefined : parseReference(name),
    message,
    pause: true,
  });
  return { id, image: name ?? id };
}
