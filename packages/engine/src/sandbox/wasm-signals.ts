// Signals to a Wasm container's payload. V8 can be broken off by SIGINT only, so the others that end a guest are followed by one;
// the payload reports the first.
import { constants } from "node:os";
import type { Attachment } from "@lapstrake/core";
import type { ContainerRecord } from "../state/record.ts";

const { SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2 } = constants.signals;
const ENDING: readonly number[] = [SIGHUP, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2];

/** What to send, in order, so that the container gets `signal`. */
export function signalsFor(record: ContainerRecord, signal: number): readonly number[] {
  return record.kind === "wasm" && ENDING.includes(signal) ? [signal, SIGINT] : [signal];
}

/** The attachment, its `signal` as above. */
export function attachedTo(record: ContainerRecord, attachment: Attachment): Attachment {
  if (record.kind !== "wasm") return attachment;
  const send = attachment.signal.bind(attachment);
  attachment.signal = (signal) => {
    for (const each of signalsFor(record, signal)) send(each);
  };
  return attachment;
}
