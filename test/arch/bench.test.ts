// The benchmark harness: a verdict must be able to be a miss, and a peer that is absent must be named.
import { expect, test } from "vitest";
import { format, judge, measure, quantile, type Suite } from "../../bench/harness.ts";

function suiteOf(slowMs: number): Suite {
  const fixed = (name: string, ms: number): Suite["variants"][number] => ({ name, run: () => Promise.resolve(ms) });
  return {
    title: "t",
    reference: "peer",
    rounds: 3,
    warmup: 1,
    variants: [fixed("ours", slowMs), fixed("peer", 10), { ...fixed("absent", 1), missing: "not installed" }],
    thresholds: [
      { subject: "ours", reference: "peer", atMost: 1.6 },
      { subject: "ours", reference: "absent", atMost: 1 },
    ],
  };
}

test("quantiles come from the sorted samples", () => {
  expect(quantile([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], 0.5)).toBe(6);
  expect(quantile([1], 0.9)).toBe(1);
  expect(() => quantile([], 0.5)).toThrow("no samples");
});

test("a bound is passed, missed, or not measured", async () => {
  const verdicts = async (ms: number): Promise<string[]> =>
    judge(await measure(suiteOf(ms)), suiteOf(ms).thresholds).map(({ verdict }) => verdict);
  expect(await verdicts(16)).toEqual(["pass", "not measured"]);
  expect(await verdicts(17)).toEqual(["miss", "not measured"]);
});

test("the report names what was left out", async () => {
  const suite = suiteOf(20);
  const report = format(suite, await measure(suite)).join("\n");
  expect(report).toContain("left out absent: not installed");
  expect(report).toContain("miss: ours ≤ 1.6 × peer (2.00 ×)");
});
