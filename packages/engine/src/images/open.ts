// Opens the image store of a layout: the kernel's DirFs on Linux, plain node:fs elsewhere and in the Wasm payload's sandbox.
import { arch } from "node:process";
import { openImageStore, type ImageStore, type StorePorts } from "@lapstrake/layers";
import { nodePorts, openNodeDir } from "@lapstrake/layers/node";
import type { DirFs, Platform } from "@lapstrake/base";

/** What an image runs on here when it has several platforms. */
export const HOST_PLATFORM: Platform = { os: "linux", architecture: arch === "x64" ? "amd64" : arch };

export const STORE_PORTS: StorePorts = { ...nodePorts, platform: HOST_PLATFORM };

/** The store in `dir`; the directory must stay open as long as the store. */
export function openStore(dir: DirFs): ImageStore {
  return openImageStore(dir, STORE_PORTS);
}

/** A folder by node:fs. */
export { openNodeDir };
