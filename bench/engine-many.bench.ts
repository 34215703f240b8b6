// A hundred detached containers, eight commands at a time, and the removal of all of them by one command.
import { env } from "node:process";
import { ask, engineVariant, openEngines, pooled, timed, timedRun, type BenchEngine } from "./engines.ts";
import type { Variant } from "./harness.ts";
import type { OpenSuite } from "./main.ts";

/** LAP_BENCH_MANY takes another number. */
const COUNT = Number(env["LAP_BENCH_MANY"] ?? 100);
/** Podman takes most of the time, and no threshold is about it: it makes a fifth. */
const PODMAN_COUNT = Math.ceil(COUNT / 5);
const AT_ONCE = 8;

/** Docker's and ours kill at once; podman gives ten seconds unless told. */
function forced({ name }: BenchEngine): string[] {
  return name === "podman" ? ["rm", "-f", "-t", "0"] : ["rm", "-f"];
}

/** Both figures come from one batch: what the one variant made, the other removes. */
function batches(engine: BenchEngine): { readonly variants: Variant[] } & Disposable {
  const count = engine.name === "podman" ? PODMAN_COUNT : COUNT;
  let batch = 0;
  let made: readonly string[] = [];
  const run = async (): Promise<number> => {
    remove();
    batch++;
    const names = Array.from({ length: count }, (_, index) => `many${batch}-${index}`);
    const started = performance.now();
    await pooled(count, AT_ONCE, (n) => timedRun(engine, ["-d", "--name", names[n]!], "/bin/sleep", "100000"));
    made = names;
    return performance.now() - started;
  };
  const remove = (): void => {
    if (made.length > 0) ask(engine, ...forced(engine), ...made);
    made = [];
  };
  const title = (what: string): string => `${engine.name} ${what}${count === COUNT ? "" : ` (${count})`}`;
  const variants = [
    engineVariant(engine, title("run -d"), run),
    engineVariant(engine, title("rm -f"), async () => {
      if (made.length === 0) await run();
      const names = made;
      made = [];
      return timed(engine, ...forced(engine), ...names);
    }),
  ];
  return { variants, [Symbol.dispose]: remove };
}

/** Opens the engines that work here. */
export function open(): Promise<OpenSuite> {
  const held = new AsyncDisposableStack();
  const engines = held.use(openEngines());
  const suite = {
    title: `run -d × ${COUNT} by ${AT_ONCE} at once, rm -f × ${COUNT}`,
    reference: "docker run -d",
    rounds: 3,
    warmup: 1,
    variants: engines.all.flatMap((engine) => held.use(batches(engine)).variants),
    thresholds: [
      { subject: "lap run -d", reference: "docker run -d", atMost: 1 / 5 },
      { subject: "lap rm -f", reference: "docker rm -f", atMost: 1 / 3 },
    ],
  };
  return Promise.resolve({ suite, [Symbol.asyncDispose]: () => held.disposeAsync() });
}
