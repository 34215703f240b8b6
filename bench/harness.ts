// Measures variants interleaved in one run, so that a noisy neighbour hits all of them alike, and prints ratios.
// Absolute times belong to one machine and one hour; a verdict is a ratio against a peer of the same run.

/** One thing to time. A variant that cannot run here says why and is named in the report. */
export interface Variant {
  readonly name: string;
  readonly missing?: string;
  /** Runs once; resolves to the milliseconds if it times itself, else the harness times the call. */
  run(): Promise<number | void>;
}

/** A bound on the ratio of medians: subject / reference ≤ `atMost`. */
export interface Threshold {
  readonly subject: string;
  readonly reference: string;
  readonly atMost: number;
}

/** A named set of variants with its bounds; `reference` is what the ratio column divides by. */
export interface Suite {
  readonly title: string;
  readonly reference: string;
  readonly rounds: number;
  readonly warmup: number;
  readonly variants: readonly Variant[];
  readonly thresholds: readonly Threshold[];
}

/** Figures of one variant in milliseconds. */
export interface Figures {
  readonly name: string;
  readonly min: number;
  readonly p10: number;
  readonly median: number;
}

/** Value at a fraction of the sorted samples; needs at least one. */
export function quantile(sorted: readonly number[], fraction: number): number {
  const index = Math.min(sorted.length - 1, Math.floor(sorted.length * fraction));
  const value = sorted[index];
  if (value === undefined) throw new Error("no samples");
  return value;
}

async function time(variant: Variant): Promise<number> {
  const started = performance.now();
  const own = await variant.run();
  return own ?? performance.now() - started;
}

/** A new order each round: no variant always runs in the wake of the same one. */
function shuffled<T>(items: readonly T[]): T[] {
  const order = [...items];
  for (let last = order.length - 1; last > 0; last--) {
    const other = Math.floor(Math.random() * (last + 1));
    [order[last], order[other]] = [order[other] as T, order[last] as T];
  }
  return order;
}

/** Runs every variant that can run `warmup + rounds` times, interleaved. */
export async function measure(suite: Suite): Promise<Figures[]> {
  const runnable = suite.variants.filter(({ missing }) => missing === undefined);
  const samples = new Map<string, number[]>(runnable.map(({ name }) => [name, []]));
  for (let round = 0; round < suite.warmup + suite.rounds; round++) {
    for (const variant of shuffled(runnable)) {
      const elapsed = await time(variant);
      if (round >= suite.warmup) samples.get(variant.name)?.push(elapsed);
    }
  }
  return [...samples].map(([name, list]) => {
    const sorted = list.toSorted((a, b) => a - b);
    return { name, min: quantile(sorted, 0), p10: quantile(sorted, 0.1), median: quantile(sorted, 0.5) };
  });
}

/** A threshold with its verdict; `ratio` is undefined when one side could not run. */
export interface Verdict extends Threshold {
  readonly ratio: number | undefined;
  readonly verdict: "pass" | "miss" | "not measured";
}

/** Compares medians with the bounds. */
export function judge(figures: readonly Figures[], thresholds: readonly Threshold[]): Verdict[] {
  const median = (name: string): number | undefined => figures.find((each) => each.name === name)?.median;
  return thresholds.map((threshold) => {
    const [subject, reference] = [median(threshold.subject), median(threshold.reference)];
    if (subject === undefined || reference === undefined)
      return { ...threshold, ratio: undefined, verdict: "not measured" };
    const ratio = subject / reference;
    return { ...threshold, ratio, verdict: ratio <= threshold.atMost ? "pass" : "miss" };
  });
}

function row(cells: readonly string[], width: number): string {
  const [first = "", ...rest] = cells;
  return `  ${first.padEnd(width)}${rest.map((cell) => cell.padStart(10)).join("")}`;
}

/** The report as lines: a table in order of speed, the variants left out, the verdicts. */
export function format(suite: Suite, figures: readonly Figures[]): string[] {
  const width = Math.max(...suite.variants.map(({ name }) => name.length)) + 2;
  const base = figures.find(({ name }) => name === suite.reference)?.median;
  const ratio = (median: number): string => (base === undefined ? "-" : `${(median / base).toFixed(2)}×`);
  return [
    `${suite.title} (${suite.rounds} rounds, interleaved; ms)`,
    row(["", "median", "p10", "min", "ratio"], width),
    ...figures
      .toSorted((a, b) => a.median - b.median)
      .map((each) =>
        row([each.name, ...[each.median, each.p10, each.min].map((ms) => ms.toFixed(2)), ratio(each.median)], width),
      ),
    `  ratio: median against ${suite.reference}`,
    ...suite.variants
      .filter(({ missing }) => missing !== undefined)
      .map(({ name, missing }) => `  left out ${name}: ${missing}`),
    ...judge(figures, suite.thresholds).map(formatVerdict),
  ];
}

function formatVerdict({ subject, reference, atMost, ratio, verdict }: Verdict): string {
  const bound = `${subject} ≤ ${Number(atMost.toFixed(3))} × ${reference}`;
  return `  ${verdict}: ${bound}${ratio === undefined ? "" : ` (${ratio.toFixed(2)} ×)`}`;
}
