// What a library user's engine starts of itself: `_reap ROOT ID [EXEC] [oom]`, `_keeper ROOT` and `_wasm DIR ROOT`. The command line has the same verbs.
import { openEngine } from "./engine.ts";
import { keepStore } from "./keeper/keep-store.ts";
import { reapById } from "./reap-by-id.ts";

const [verb = "", first, second, ...more] = process.argv.slice(2);
if (verb === "_keeper" && first !== undefined) await keepStore(openEngine({ root: first }));
else if (first === undefined || second === undefined) {
  throw new Error("usage: main _reap ROOT ID | main _keeper ROOT | main _wasm CONTAINER_DIR ROOT");
} else if (verb === "_reap") await reapById(openEngine({ root: first }), second, ...more);
else if (verb === "_wasm")
  process.exitCode = await (await import("./sandbox/wasm-payload.ts")).runWasmPayload(first, second, more[0]);
else throw new Error(`unknown verb "${verb}"`);
