// Opens the engine for a command, with this program as the one that reaps and runs Wasm payloads.
import { dirname, join } from "node:path";
import { nodeProgram, openEngine, type Engine, type EngineProgram } from "@lapstrake/engine";
import type { GlobalOptions } from "./args/types.ts";
import { warn } from "./output/print.ts";

/** The engine on the chosen store. */
export function engineFor(global: GlobalOptions): Engine {
  return openEngine({
    ...(global.root === undefined ? {} : { root: global.root }),
    logger: { debug() {}, warn },
    program: thisProgram(process.argv[1]!),
  });
}

/** The bundle has a program of its own for Wasm payloads beside it; sources have not. */
function thisProgram(script: string): EngineProgram {
  if (script.endsWith(".ts")) return nodeProgram(script, ["--conditions=@lapstrake/source"]);
  const dist = dirname(script);
  return {
    ...nodeProgram(script, []),
    wasmArgv: nodeProgram(join(dist, "lap-wasm.cjs"), []).argv,
    wasmStarted: () => void import("./start/warm-payload.ts").then(({ warmPayload }) => warmPayload(dist)),
  };
}
