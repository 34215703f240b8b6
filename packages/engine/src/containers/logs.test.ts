import { appendFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { readLog, type LogEntry, type LogOptions } from "./logs.ts";

let dir: string;
let path: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "lap-logs-"));
  path = join(dir, "log.json");
});
afterEach(() => rmSync(dir, { recursive: true }));

const line = (text: string, second: number, stream = "stdout"): string =>
  `${JSON.stringify({ log: text, stream, time: `2026-01-01T00:00:0${second}.000000000Z` })}\n`;

async function texts(options?: LogOptions): Promise<string[]> {
  const out: string[] = [];
  for await (const entry of readLog(path, options)) out.push(entry.text);
  return out;
}

it("reads in order, from the oldest rotated file, and leaves out a torn line", async () => {
  writeFileSync(`${path}.2`, line("a", 1));
  writeFileSync(`${path}.1`, line("b", 2));
  writeFileSync(path, `${line("c", 3)}{"log":"torn`);
  expect(await texts()).toEqual(["a", "b", "c"]);
  expect(await texts({ tail: 2 })).toEqual(["b", "c"]);
  expect(await texts({ tail: 0 })).toEqual([]);
  expect(await texts({ since: "2026-01-01T00:00:02Z", until: "2026-01-01T00:00:02.5Z" })).toEqual(["b"]);
});

it("has nothing to say without a file", async () => {
  expect(await texts()).toEqual([]);
});

it("follows over a rotation to the end", async () => {
  writeFileSync(path, line("a", 1));
  const end = Promise.withResolvers<void>();
  const log = readLog(path, { follow: { ended: end.promise } });
  const next = async (): Promise<string | undefined> => {
    const { value, done } = (await log.next()) as IteratorResult<LogEntry, void>;
    return done === true ? undefined : value.text;
  };
  expect(await next()).toBe("a");
  const waiting = next();
  appendFileSync(path, line("b", 2));
  renameSync(path, `${path}.1`);
  writeFileSync(path, line("c", 3));
  expect(await waiting).toBe("b");
  expect(await next()).toBe("c");
  const last = next();
  appendFileSync(path, line("d", 4));
  end.resolve();
  expect(await last).toBe("d");
  expect(await next()).toBeUndefined();
});
