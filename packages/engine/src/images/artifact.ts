// The one door to images/wasm-artifact.ts, which brings the Wasm host with it: loaded when it is asked for.
import type { Engine } from "../engine.ts";

/** A tar of an OCI layout with the image as a CNCF Wasm artifact. Throws `ERR_LAP_WASM_ARTIFACT` for one with more than its program. */
export async function wasmArtifactArchive(engine: Engine, name: string): Promise<AsyncIterable<Uint8Array>> {
  return (await import("./wasm-artifact.ts")).wasmArtifactArchive(engine.context, name);
}
