import { describe, expect, it } from "vitest";
import { guestLimits } from "./limit-flag.ts";

describe("--limit", () => {
  it("reads every kind", () => {
    expect(guestLimits(["timeout=1.5s", "cpu=2s", "output=1m", "disk=64m", "files=100", "processes=16"])).toEqual({
      timeoutMs: 1500,
      cpuMs: 2000,
      outputBytes: 2 ** 20,
      filesystemBytes: 64 * 2 ** 20,
      openFiles: 100,
      processes: 16,
    });
    expect(guestLimits(["timeout=250ms"])).toEqual({ timeoutMs: 250 });
    expect(guestLimits([])).toBeUndefined();
  });

  it.each(["", "timeout", "timeout=", "timeout=fast", "files=-1", "color=red", "__proto__=1"])("refuses %j", (line) => {
    expect(() => guestLimits([line])).toThrow("invalid --limit");
  });
});
