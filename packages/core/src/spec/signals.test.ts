// Signal names as people type them.
import { expect, test } from "vitest";
import { parseSignal, signalName } from "./signals.ts";

test.each([
  ["9", 9],
  ["KILL", 9],
  ["sigterm", 15],
  ["RTMIN", 34],
  ["RTMIN+3", 37],
  ["SIGRTMAX-2", 62],
  ["64", 64],
  ["0", undefined],
  ["65", undefined],
  ["RTMIN-1", undefined],
  ["RTMAX+1", undefined],
  ["SIGNOPE", undefined],
  ["constructor", undefined],
  ["", undefined],
])("%j is %j", (text, number) => expect(parseSignal(text)).toBe(number));

test("names of numbers", () => {
  expect([signalName(15), signalName(36), signalName(64), signalName(99)]).toEqual([
    "SIGTERM",
    "SIGRTMIN+2",
    "SIGRTMAX",
    undefined,
  ]);
});
