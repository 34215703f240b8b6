import { expect, test } from "vitest";
import { CLONE_NEWNET } from "./flags.ts";
import { netCall, withNetns, withNewNetns } from "./net.ts";
import { RecordingSyscalls } from "./recording.ts";

const THERE = 77;

test("goes there, runs, and comes home, whatever happens meanwhile", () => {
  for (const fail of [false, true]) {
    const sys = new RecordingSyscalls();
    const run = (): string =>
      withNetns(
        THERE,
        () => {
          expect(sys.calls).toHaveLength(1);
          if (fail) throw new Error("inside");
          return "done";
        },
        sys,
      );
    if (fail) expect(run).toThrow("inside");
    else expect(run()).toBe("done");
    expect(sys.calls.map(({ name, args }) => [name, args[1]])).toEqual([
      ["setns", CLONE_NEWNET],
      ["setns", CLONE_NEWNET],
    ]);
    expect(sys.calls[0]?.args[0]).toBe(THERE);
    expect(sys.calls[1]?.args[0]).not.toBe(THERE);
  }
});

test("a way there that fails runs nothing", () => {
  const sys = new RecordingSyscalls(() => -1);
  expect(() => withNetns(THERE, () => expect.fail("ran"), sys)).toThrow(
    expect.objectContaining({ code: "EPERM", syscall: "setns" }),
  );
  expect(() => withNewNetns(() => expect.fail("ran"), sys)).toThrow(
    expect.objectContaining({ code: "EPERM", syscall: "unshare" }),
  );
  expect(sys.calls).toHaveLength(2);
});

test("what would go on elsewhere after coming home is refused", () => {
  const sys = new RecordingSyscalls();
  expect(() => withNetns(THERE, () => Promise.resolve(), sys)).toThrow(
    expect.objectContaining({ code: "ERR_LAP_NETNS_ASYNC" }),
  );
  expect(sys.calls).toHaveLength(2);
});

test("an interrupted call is made again", () => {
  const sys = new RecordingSyscalls((_call, index) => (index < 2 ? -4 : 5));
  expect(netCall(sys, "socket", 1, 2, 3)).toBe(5);
  expect(sys.calls).toHaveLength(3);
});
