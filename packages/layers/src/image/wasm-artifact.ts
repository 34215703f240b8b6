// The CNCF Wasm OCI artifact: a manifest whose config is application/vnd.wasm.config.v0+json and whose only layer is the program
// itself. It has no root filesystem; it is read as one file that the container starts.
import { MEDIA_TYPE, toByteString, type Manifest } from "@lapstrake/base";
import { BytesContent } from "../tree/content.ts";
import { LayerBuilder } from "../tree/builder.ts";
import { TreeNode, type LayerTree } from "../tree/node.ts";

/** Name of the program in the container's root. */
const PROGRAM = "app.wasm";

/** True for a program as an artifact, of either version of WASI. */
export function isWasmArtifact({ config, layers }: Manifest): boolean {
  return config.mediaType === MEDIA_TYPE.wasmConfig && layers.length === 1 && layers[0]!.mediaType === MEDIA_TYPE.wasm;
}

/** What a container of it starts. */
export const WASM_ARTIFACT_ENTRYPOINT: readonly string[] = [`/${PROGRAM}`];

/** The artifact as a layer of one file. */
export function wasmArtifactTree(program: Uint8Array): LayerTree {
  const builder = new LayerBuilder();
  builder.add(toByteString(PROGRAM), new TreeNode({ type: "file", mode: 0o755, content: new BytesContent(program) }));
  return builder.finish();
}
