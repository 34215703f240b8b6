// `run --rm` of /bin/true by each engine's command line: without a network, and on its default bridge.
import { execPath } from "node:process";
import { commandVariant } from "./commands.ts";
import { engineVariant, openEngines, timedRun } from "./engines.ts";
import type { OpenSuite } from "./main.ts";

/** Opens the engines that work here. */
export function open(): Promise<OpenSuite> {
  const engines = openEngines();
  const variants = engines.all.flatMap((engine) =>
    ["none", "bridge"].map((network) =>
      engineVariant(engine, `${engine.name} ${network}`, () =>
        timedRun(engine, ["--rm", "--network", network], "/bin/true"),
      ),
    ),
  );
  const thresholds = ["none", "bridge"].flatMap((network) => [
    { subject: `lap ${network}`, reference: `docker ${network}`, atMost: 1 / 5 },
    { subject: `lap ${network}`, reference: `podman ${network}`, atMost: 1 / 3 },
  ]);
  const suite = {
    title: "run --rm IMAGE /bin/true",
    reference: "docker none",
    rounds: 15,
    warmup: 3,
    variants: [...variants, commandVariant("node -e 0", execPath, () => ["-e", "0"], undefined)],
    thresholds,
  };
  return Promise.resolve({ suite, [Symbol.asyncDispose]: () => engines[Symbol.asyncDispose]() });
}
