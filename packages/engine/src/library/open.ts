// The library's front door: a store of this machine, or one in memory, which needs neither root nor Linux.
import type { Logger } from "@lapstrake/base";
import type { EngineProgram } from "../program.ts";
import type { Store } from "./types.ts";

/** Which store. */
export interface OpenOptions {
  /** Folder of the store; default /var/lib/lapstrake, or below ~/.local/share without root. In memory: images are read from it. */
  readonly root?: string;
  /** Boxes of WebAssembly programs over files in memory: nothing is written, no root is needed. */
  readonly memory?: boolean;
  readonly logger?: Logger;
  /** What cleans up after containers and runs Wasm guests; default this package's own main file. */
  readonly program?: EngineProgram;
}

/** Opens (or makes) a store. Dispose of it, best by `await using`. Throws `ERR_LAP_STORE_VERSION`, `ERR_LAP_STORE_UNREADABLE`. */
export async function open(options: OpenOptions = {}): Promise<Store> {
  const { memory = false, ...rest } = options;
  // Loaded by need: containers do not load the Wasm host, memory not the kernel's calls.
  if (memory) return (await import("./memory-store.ts")).openMemoryStore(rest.root);
  return (await import("./host-store.ts")).openHostStore(rest);
}
