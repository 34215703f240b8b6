import { describe, expect, it } from "vitest";
import { formatAgo, formatBinarySize, formatSize, formatTimestamp, parseDurationMs, parseSize } from "./units.ts";

describe("parseSize", () => {
  it.each([
    ["512m", 512 * 1024 * 1024],
    ["1g", 1024 ** 3],
    ["1.5k", 1536],
    ["64KiB", 65536],
    ["10kb", 10240],
    ["77", 77],
    ["8b", 8],
  ])("%s", (text, bytes) => expect(parseSize(text)).toBe(bytes));
  it.each(["", "abc", "-1", "1e3", "999999999999999999p"])("refuses %j", (text) => {
    expect(() => parseSize(text)).toThrow(`invalid size: '${text}'`);
  });
  it("names a unit that is none", () => expect(() => parseSize("1 XY")).toThrow("invalid suffix: 'xy'"));
});

it("prints sizes as docker does", () => {
  expect(formatSize(1_981_000)).toBe("1.98MB");
  expect(formatSize(0)).toBe("0B");
  expect(formatSize(999)).toBe("999B");
  expect(formatSize(1_982_345, 4)).toBe("1.982MB");
  expect(formatBinarySize(475_136)).toBe("464KiB");
});

it.each([
  [900, "Less than a second"],
  [1000, "1 second"],
  [34_000, "34 seconds"],
  [60_000, "About a minute"],
  [180_000, "3 minutes"],
  [3_600_000, "About an hour"],
  [7_200_000, "2 hours"],
  [47 * 3_600_000, "47 hours"],
  [72 * 3_600_000, "3 days"],
  [21 * 86_400_000, "3 weeks"],
  [100 * 86_400_000, "3 months"],
  [800 * 86_400_000, "2 years"],
])("%d ms ago is %s", (ms, text) => expect(formatAgo(ms)).toBe(text));

it("reads Go durations", () => {
  expect(parseDurationMs("1m30s")).toBe(90_000);
  expect(parseDurationMs("1.5h")).toBe(5_400_000);
  expect(parseDurationMs("250ms")).toBe(250);
  for (const bad of ["", "5", "s", "1m 2s", "-1s"]) expect(() => parseDurationMs(bad)).toThrow(/invalid duration/);
});

it("prints RFC 3339 with nanoseconds", () => {
  expect(formatTimestamp(0, 5)).toBe("1970-01-01T00:00:00.000000005Z");
});
