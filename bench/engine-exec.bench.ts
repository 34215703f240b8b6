// `exec CONTAINER /bin/true`, and `ps` with a hundred running containers.
import { execPath } from "node:process";
import { startToExit } from "./commands.ts";
import { engineVariant, idleContainers, openEngines, timed } from "./engines.ts";
import type { OpenSuite } from "./main.ts";

const RUNNING = 100;

/** Starts the containers. */
export async function open(): Promise<OpenSuite> {
  const engines = openEngines();
  const held = new AsyncDisposableStack();
  held.use(engines);
  for (const engine of engines.all) held.use(await idleContainers(engine, "bench", RUNNING));
  const node = (): Promise<number> => startToExit(execPath, ["-e", "0"]);
  const variants = engines.all.flatMap((engine) => [
    engineVariant(engine, `${engine.name} exec`, () => timed(engine, "exec", "bench0", "/bin/true")),
    engineVariant(engine, `${engine.name} ps`, () => timed(engine, "ps")),
    ...(engine.name === "docker"
      ? [engineVariant(engine, "docker ps + node", async () => (await timed(engine, "ps")) + (await node()))]
      : []),
  ]);
  const suite = {
    title: `exec /bin/true, and ps of ${RUNNING}`,
    reference: "docker exec",
    rounds: 15,
    warmup: 3,
    variants,
    thresholds: [
      { subject: "lap exec", reference: "docker exec", atMost: 1 / 2 },
      { subject: "lap ps", reference: "docker ps + node", atMost: 1 },
    ],
  };
  return { suite, [Symbol.asyncDispose]: () => held.disposeAsync() };
}
