// An event: what happened to what, when. One JSON object a line in events/log; docker's form of it is made where it is shown.
import { formatTimestamp, type Timespec } from "@lapstrake/base";

/** What an event is about. */
export type EventType = "container" | "image" | "network" | "volume";

/** One thing that happened, with docker's names. */
export interface EngineEvent {
  readonly type: EventType;
  /** `create`, `die`, `exec_start: sh -c true`, `health_status: healthy`. */
  readonly action: string;
  /** Container id, image id, network id, volume name. */
  readonly id: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly time: Timespec;
}

/** Docker's JSON of an event; `timeNano` is beyond what a number holds, so this is text. */
export function eventJson(event: EngineEvent): string {
  const { type, action, id, time } = event;
  const text = (value: unknown): string => escapeHtml(JSON.stringify(value));
  const nano = `${time.sec}${String(time.nsec).padStart(9, "0")}`;
  const actor = `{"ID":${text(id)},"Attributes":${text(sorted(event.attributes))}}`;
  return `{"Type":"${type}","Action":${text(action)},"Actor":${actor},"scope":"local","time":${time.sec},"timeNano":${nano}}`;
}

/** `time type action id (k=v, …)`, as docker prints an event. */
export function eventLine(event: EngineEvent): string {
  const pairs = Object.entries(sorted(event.attributes)).map(([name, value]) => `${name}=${value}`);
  const head = `${formatTimestamp(event.time.sec, event.time.nsec)} ${event.type} ${event.action} ${event.id}`;
  return pairs.length === 0 ? head : `${head} (${pairs.join(", ")})`;
}

function sorted(attributes: EngineEvent["attributes"]): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(attributes).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

function escapeHtml(json: string): string {
  return json.replaceAll(/[<>&\u2028\u2029]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** A line of the file; undefined for a torn or foreign one. */
export function parseEvent(line: string): EngineEvent | undefined {
  try {
    const value = JSON.parse(line) as Partial<EngineEvent> | null;
    const isWhole = typeof value?.type === "string" && typeof value.time?.sec === "number";
    return isWhole ? (value as EngineEvent) : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
