// The verb `_keeper`: what whoever needs a keeper executes. The code behind it is loaded here only.
import type { Engine } from "../engine.ts";

/** Runs the keeper of the engine's store until it is unneeded, or told to end by SIGTERM or SIGINT. */
export async function keepStore(engine: Engine): Promise<void> {
  const { runKeeper } = await import("./keeper.ts");
  const end = new AbortController();
  for (const name of ["SIGTERM", "SIGINT"] as const) process.on(name, () => end.abort());
  await runKeeper(engine.context, end.signal);
}
