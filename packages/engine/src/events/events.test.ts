import { mkdtempSync, readdirSync, rmSync, writeFileSync, appendFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { systemClock, type EngineContext } from "../context.ts";
import { emit, eventsFile, type EventSink } from "./emit.ts";
import { eventJson, eventLine, type EngineEvent } from "./event.ts";
import { readEvents } from "./events.ts";
import { matchesFilters } from "./filter.ts";

let root: string;
let sink: EventSink;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "lap-events-"));
  sink = { clock: systemClock, logger: { debug() {}, warn() {} }, paths: { root } };
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const context = (): EngineContext => sink as unknown as EngineContext;
const PAST = { since: { sec: 0, nsec: 0 }, until: { sec: 1, nsec: 0 } };
const UNTIL_NOW = (): { since: { sec: number; nsec: number }; until: { sec: number; nsec: number } } => ({
  since: { sec: 0, nsec: 0 },
  until: { sec: Math.floor(Date.now() / 1000), nsec: 999_999_999 },
});

async function all(events: AsyncIterable<EngineEvent>): Promise<string[]> {
  const found: string[] = [];
  for await (const { action } of events) found.push(action);
  return found;
}

it("prints as docker does", () => {
  const event: EngineEvent = {
    type: "container",
    action: "die",
    id: "3d83",
    attributes: { name: "<ev1>", exitCode: "4", image: "bb:latest" },
    time: { sec: 1795232004, nsec: 5_000_001 },
  };
  expect(eventLine(event)).toBe(
    "2026-11-21T03:33:24.005000001Z container die 3d83 (exitCode=4, image=bb:latest, name=<ev1>)",
  );
  expect(eventJson(event)).toBe(
    '{"Type":"container","Action":"die","Actor":{"ID":"3d83","Attributes":{"exitCode":"4","image":"bb:latest","name":"\\u003cev1\\u003e"}},"scope":"local","time":1795232004,"timeNano":1795232004005000001}',
  );
});

it("gives what was written, in bounds, without torn lines", async () => {
  emit(sink, "volume", "create", "v1", { driver: "local" });
  appendFileSync(eventsFile(root), '{"type":"vol\n');
  emit(sink, "volume", "destroy", "v1", { driver: "local" });
  expect(await all(readEvents(context(), UNTIL_NOW()))).toEqual(["create", "destroy"]);
  expect(await all(readEvents(context(), PAST))).toEqual([]);
});

it("follows over a rotation and ends on abort", async () => {
  const end = new AbortController();
  emit(sink, "image", "before", "i");
  const events = readEvents(context(), { signal: end.signal });
  const seen: string[] = [];
  const reading = (async () => {
    for await (const { action } of events) {
      seen.push(action);
      if (action === "n2") end.abort();
    }
  })();
  emit(sink, "image", "n1", "i");
  appendFileSync(eventsFile(root), "x".repeat(5 * 1024 * 1024) + "\n");
  emit(sink, "image", "full", "i");
  expect(readdirSync(join(root, "events")).toSorted()).toEqual(["lock", "log.1"]);
  emit(sink, "image", "n2", "i");
  await reading;
  expect(seen).toEqual(["n1", "full", "n2"]);
});

it("warns when the disk does not take an event", () => {
  const warnings: string[] = [];
  writeFileSync(join(root, "events"), "in the way");
  emit({ ...sink, logger: { debug() {}, warn: (text) => warnings.push(text) } }, "image", "pull", "i");
  expect(warnings).toHaveLength(1);
});

it("filters by docker's rules", () => {
  const event: EngineEvent = {
    type: "container",
    action: "exec_start: sh",
    id: "abc123",
    attributes: { name: "web", image: "bb:latest", tier: "front" },
    time: { sec: 0, nsec: 0 },
  };
  const matches = (filters: Record<string, string[]>): boolean => matchesFilters(event, filters);
  expect(matches({ event: ["exec_start"], type: ["image", "container"] })).toBe(true);
  expect(matches({ container: ["web"] })).toBe(true);
  expect(matches({ container: ["abc"], image: ["bb"] })).toBe(true);
  expect(matches({ label: ["tier=front"] })).toBe(true);
  expect(matches({ label: ["tier=back"] })).toBe(false);
  expect(matches({ label: ["tier", "tier=front"] })).toBe(true);
  expect(matches({ label: ["tier", "tier=back"] })).toBe(false);
  expect(matches({ image: ["bb:latest"], scope: ["local"] })).toBe(true);
  expect(matches({ image: ["b"] })).toBe(false);
  expect(matches({ scope: ["swarm"] })).toBe(false);
  expect(matches({ volume: ["web"] })).toBe(true);
  expect(matches({ daemon: ["web"] })).toBe(false);
  expect(matches({ event: ["exec"] })).toBe(false);
  expect(matches({ type: ["network"] })).toBe(false);
});

it("ends for readers that left, or never began, and holds nothing open then", async () => {
  const before = readdirSync("/proc/self/fd").length;
  const end = new AbortController();
  const signal = end.signal;
  const [never, left, late] = [1, 2, 3].map(() => readEvents(context(), { signal }));
  await left!.return!();
  end.abort();
  expect(await late!.next()).toMatchObject({ done: true });
  expect(await never!.next()).toMatchObject({ done: true });
  expect(await readEvents(context(), { signal }).next()).toMatchObject({ done: true });
  expect(readdirSync("/proc/self/fd").length).toBe(before);
});
