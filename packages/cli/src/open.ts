// Opens the engine for a command, with this program as the one that reaps and runs Wasm payloads.
import { nodeProgram, openEngine, type Engine } from "@lapstrake/engine";
import type { GlobalOptions } from "./args/types.ts";
import { warn } from "./output/print.ts";

/** The engine on the chosen store. */
export function engineFor(global: GlobalOptions): Engine {
  const script = process.argv[1]!;
  const flags = script.endsWith(".ts") ? ["--conditions=@lapstrake/source"] : [];
  return openEngine({
    ...(global.root === undefined ? {} : { root: global.root }),
    logger: { debug() {}, warn },
    program: nodeProgram(script, flags),
  });
}
