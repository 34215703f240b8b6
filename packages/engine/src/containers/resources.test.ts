import { describe, expect, it } from "vitest";
import { checkLimits, limitResources, rlimits, splitDevice } from "./resources.ts";

describe("limits of a request", () => {
  it("become the resources block, swap twice the memory unless told", () => {
    expect(limitResources({ memoryBytes: 100, cpus: 1.5, pidsLimit: 7 })).toEqual({
      memory: { limit: 100, swap: 200 },
      cpu: { period: 100_000, quota: 150_000 },
      pids: { limit: 7 },
    });
    expect(limitResources({ memoryBytes: 100, memorySwapBytes: -1 })).toEqual({ memory: { limit: 100, swap: -1 } });
    expect(limitResources({})).toEqual({});
  });

  it("are refused in docker's words", () => {
    const mb = 1024 ** 2;
    const wrong = [
      [{ memoryBytes: 1 }, "Minimum memory limit allowed is 6MB"],
      [{ memorySwapBytes: 64 * mb }, "You should always set the Memory limit when using Memoryswap limit, see usage"],
      [
        { memoryBytes: 64 * mb, memorySwapBytes: 32 * mb },
        "Minimum memoryswap limit should be larger than memory limit",
      ],
      [{ memoryBytes: 8 * mb, memoryReservationBytes: 9 * mb }, "can not be less than memory reservation limit"],
      [{ cpus: 1, cpuQuotaUs: 5000 }, "Conflicting options: Nano CPUs and CPU Quota cannot both be set"],
      [{ cpuPeriodUs: 1 }, "CPU cfs period can not be less than 1ms"],
      [{ cpusetCpus: "x" }, "Invalid value x for cpuset cpus"],
      [{ cpusetCpus: "4000" }, "Requested CPUs are not available - requested 4000"],
      [{ blkioWeight: 5 }, "Range of blkio weight is from 10 to 1000"],
      [{ oomScoreAdj: 2000 }, "Invalid value 2000, range for oom score adj is [-1000, 1000]"],
    ] as const;
    for (const [request, text] of wrong) expect(() => checkLimits(request)).toThrow(text);
    expect(() => checkLimits({ memoryBytes: 64 * mb, memorySwapBytes: -1, cpusetCpus: "0" })).not.toThrow();
  });
});

it("writes resource limits as the specification names them", () => {
  expect(rlimits({ ulimits: [{ name: "nofile", soft: 1, hard: -1 }] })).toEqual([
    { type: "RLIMIT_NOFILE", soft: 1, hard: 2 ** 64 },
  ]);
});

it("takes device numbers apart as makedev(3) puts them together", () => {
  expect(splitDevice(0x103)).toEqual({ major: 1, minor: 3 });
  expect(splitDevice(0x1234)).toEqual({ major: 0x12, minor: 0x34 });
  expect(splitDevice(0x12300845)).toEqual({ major: 8, minor: 0x12345 });
});
