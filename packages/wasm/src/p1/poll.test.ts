import { UnionFs } from "@lapstrake/layers";
import { describe, expect, it } from "vitest";
import { Probe } from "../probe/probe.ts";

const SUBSCRIPTIONS = 2048;
const EVENTS = 4096;

interface Subscription {
  readonly type: 0 | 1 | 2;
  readonly clock?: number;
  readonly ns?: bigint;
  readonly absolute?: boolean;
  readonly fd?: number;
}

/** [userdata, errno] of each event. */
function poll(list: readonly Subscription[]): [number, number][] {
  const probe = new Probe(UnionFs.create([]));
  const view = new DataView(probe.memory.buffer);
  for (const [index, { type, clock = 1, ns = 0n, absolute = false, fd = 0 }] of list.entries()) {
    const at = SUBSCRIPTIONS + 48 * index;
    view.setBigUint64(at, BigInt(index), true);
    view.setUint8(at + 8, type);
    view.setUint32(at + 16, type === 0 ? clock : fd, true);
    view.setBigUint64(at + 24, ns, true);
    view.setUint16(at + 40, absolute ? 1 : 0, true);
  }
  expect(probe.call("poll_oneoff", SUBSCRIPTIONS, EVENTS, list.length, 8)).toBe(0);
  return Array.from({ length: view.getUint32(8, true) }, (_, index) => {
    const at = EVENTS + 32 * index;
    return [Number(view.getBigUint64(at, true)), view.getUint16(at + 8, true)];
  });
}

describe("poll_oneoff", () => {
  it("waits for the earliest clock only", () => {
    const started = performance.now();
    expect(
      poll([
        { type: 0, ns: 60_000_000_000n },
        { type: 0, ns: 20_000_000n },
      ]),
    ).toEqual([[1, 0]]);
    expect(performance.now() - started).toBeGreaterThanOrEqual(19);
  });

  it("finds a point in the past at once", () => {
    expect(poll([{ type: 0, clock: 0, ns: 1n, absolute: true }])).toEqual([[0, 0]]);
  });

  it("finds output ready, the end of input ready, and says which descriptor is none", () => {
    expect(
      poll([
        { type: 2, fd: 1 },
        { type: 1, fd: 0 },
        { type: 1, fd: 99 },
        { type: 0, ns: 60_000_000_000n },
      ]),
    ).toEqual([
      [0, 0],
      [1, 0],
      [2, 8],
    ]);
  });

  it("refuses a clock it does not have, and an empty list", () => {
    expect(poll([{ type: 0, clock: 7 }])).toEqual([[0, 28]]);
    expect(new Probe(UnionFs.create([])).call("poll_oneoff", 0, 0, 0, 8)).toBe(28);
  });
});
