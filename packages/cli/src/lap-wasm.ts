// The payload of a Wasm container as a program of its own: the verb `_wasm` without the rest of `lap`, so that it starts sooner.
import { runWasmPayload } from "@lapstrake/engine/wasm-payload";

const [, , , dir = "", root = ""] = process.argv;
void runWasmPayload(dir, root).then((code) => process.exit(code));
