// Who runs a container: images and containers can ask for the Wasm sandbox by the annotations that crun and buildah use
// (crun's docs/wasm.md), on whatever platform the image says it is for.
import { isWasmPlatform } from "@lapstrake/base";
import type { Image } from "@lapstrake/layers";
import type { CreateRequest } from "../containers/request.ts";

/** Of containers: `wasm`, or `wasm-smart` to look at the image. */
const HANDLER = "run.oci.handler";
/** Of images. */
const VARIANT = "module.wasm.image/variant";

/** True when the request decides by itself: what an image came to earlier does not count then. */
export function hasWasmHandler({ annotations }: CreateRequest): boolean {
  return annotations?.[HANDLER] === "wasm";
}

/** True for a container of the Wasm sandbox. */
export function isWasmImage({ platform, manifest }: Image, request: CreateRequest): boolean {
  const variant = manifest.annotations?.[VARIANT];
  return isWasmPlatform(platform) || variant === "compat" || variant === "compat-smart" || hasWasmHandler(request);
}
