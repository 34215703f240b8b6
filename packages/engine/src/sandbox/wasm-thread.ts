// The guest's thread of a Wasm container whose stdin may wait: see wasm-payload.ts.
import { servePayload } from "@lapstrake/wasm/node";
import { runContainer } from "./wasm-run.ts";

void servePayload(runContainer);
