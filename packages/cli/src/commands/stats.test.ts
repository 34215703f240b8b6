import type { ContainerRecord, ContainerUsage } from "@lapstrake/engine";
import { expect, it } from "vitest";
import { statsRow, type Look } from "./stats.ts";

const record = { id: "a".repeat(64), name: "web" } as ContainerRecord;
const usage: ContainerUsage = {
  atNs: 2e9,
  cpuNs: 15e8,
  memoryBytes: 3 * 1024 * 1024,
  memoryLimitBytes: 64 * 1024 * 1024,
  readBytes: 1000,
  writtenBytes: 0,
  receivedBytes: 2500,
  sentBytes: 10,
  pids: 3,
};
const look = (change: Partial<ContainerUsage> = {}): Look => ({ record, usage: { ...usage, ...change } });

it("counts processor time between two looks, in per cent of one processor", () => {
  const before = look({ atNs: 1e9, cpuNs: 0 });
  expect(statsRow(look(), [before], false)).toEqual({
    Container: "a".repeat(12),
    ID: "a".repeat(12),
    Name: "web",
    CPUPerc: "150.00%",
    MemUsage: "3MiB / 64MiB",
    MemPerc: "4.69%",
    NetIO: "2.5kB / 10B",
    BlockIO: "1kB / 0B",
    PIDs: "3",
  });
});

it("knows no share at the first look, nor when no time passed", () => {
  expect(statsRow(look(), [], false)["CPUPerc"]).toBe("0.00%");
  expect(statsRow(look(), [look()], false)["CPUPerc"]).toBe("0.00%");
});

it("shows dashes for what does not run, and whole ids when asked", () => {
  const row = statsRow({ record, usage: undefined }, [], true);
  expect([row["ID"], row["CPUPerc"], row["MemUsage"], row["PIDs"]]).toEqual(["a".repeat(64), "--", "-- / --", "--"]);
});
