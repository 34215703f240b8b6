// The payload of a Wasm container as a program of its own: the verb `_wasm` without the rest of `lap`, so that it starts sooner.
import { runWasmPayload } from "@lapstrake/engine/wasm-payload";

const [, , , dir = "", root = "", flag] = process.argv;
void runWasmPayload(dir, root, flag).then((code) => process.exit(code));
