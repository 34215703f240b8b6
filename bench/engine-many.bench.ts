// A hundred detached containers, eight commands at a time, and the removal of all of them by one command.
import { ask, engineVariant, openEngines, pooled, timed, timedRun, type BenchEngine } from "./engines.ts";
import type { Variant } from "./harness.ts";
import type { OpenSuite } from "./main.ts";

const COUNT = 100;

/** Both figures come from one batch: the removal's is kept for the variant that reports it. */
function variantsOf(engine: BenchEngine): Variant[] {
  let batch = 0;
  const names = (): string[] => Array.from({ length: COUNT }, (_, index) => `many${batch}-${index}`);
  const run = async (): Promise<number> => {
    batch++;
    const started = performance.now();
    const all = names();
    await pooled(COUNT, 8, (n) => timedRun(engine, ["-d", "--name", all[n]!], "/bin/sleep", "100000"));
    return performance.now() - started;
  };
  return [
    engineVariant(engine, `${engine.name} run -d`, async () => {
      const elapsed = await run();
      ask(engine, "rm", "-f", ...names());
      return elapsed;
    }),
    engineVariant(engine, `${engine.name} rm -f`, async () => {
      await run();
      return timed(engine, "rm", "-f", ...names());
    }),
  ];
}

/** Opens the engines that work here. */
export function open(): Promise<OpenSuite> {
  const engines = openEngines();
  const suite = {
    title: `run -d × ${COUNT} by 8 at once, rm -f × ${COUNT}`,
    reference: "docker run -d",
    rounds: 3,
    warmup: 1,
    variants: engines.all.flatMap((engine) => variantsOf(engine)),
    thresholds: [
      { subject: "lap run -d", reference: "docker run -d", atMost: 1 / 5 },
      { subject: "lap rm -f", reference: "docker rm -f", atMost: 1 / 3 },
    ],
  };
  return Promise.resolve({ suite, [Symbol.asyncDispose]: () => engines[Symbol.asyncDispose]() });
}
