// What every part of the engine is handed: the store's paths, the clock, the images, and how to run clean-up.
import { hostname } from "node:os";
import type { ClockPort, Logger } from "@lapstrake/base";
import type { ImageService } from "./images/service.ts";
import type { EngineProgram } from "./program.ts";
import type { StorageDriver } from "./sandbox/storage-driver.ts";
import type { StorePaths } from "./state/layout.ts";

/** The engine's own dependencies, composed once by `openEngine`. */
export interface EngineContext {
  readonly paths: StorePaths;
  readonly clock: ClockPort;
  /** What new containers are made of, when somebody said so. */
  readonly storageDriver: StorageDriver | undefined;
  readonly logger: Logger;
  /** Opens the image store on first use: a start from the host image needs none. */
  images(): Promise<ImageService>;
  /** Closes the image store if it is open; a later use opens it again. */
  closeImages(): Promise<void>;
  hostname(): string;
  /** Program and arguments that clean up after a container; the id is appended. */
  readonly reapArgv: readonly string[];
  /** Program and arguments of the store's keeper. */
  readonly keeperArgv: readonly string[];
  /** Program and arguments of a Wasm payload; the container's directory is appended. */
  readonly wasmArgv: readonly string[];
  /** See {@link EngineProgram.wasmStarted}. */
  readonly wasmStarted: EngineProgram["wasmStarted"] | undefined;
  /** Folders that payload needs to see. */
  readonly programRoots: readonly string[];
}

/** The machine's host name: for containers on the host's network. */
export function machineHostname(): string {
  return hostname();
}

const MS = 1_000_000n;
/** Wall clock less the monotonic one. */
let offsetNs = BigInt(Date.now()) * MS - process.hrtime.bigint();

/** Wall clock in nanoseconds as far as Node has them: later is larger, until somebody sets the machine's clock. */
function wallNs(): bigint {
  const wall = BigInt(Date.now()) * MS;
  const ns = process.hrtime.bigint() + offsetNs;
  const isOff = ns < wall || ns > wall + 2n * MS;
  if (isOff) offsetNs += wall - ns;
  return isOff ? wall : ns;
}

/** The machine's clock. */
export const systemClock: ClockPort = {
  now() {
    const ns = wallNs();
    return { sec: Number(ns / 1_000_000_000n), nsec: Number(ns % 1_000_000_000n) };
  },
  sleep(ms, signal) {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(resolve, ms);
      signal?.addEventListener("abort", () => {
        clearTimeout(timer);
        reject(signal.reason as Error);
      });
    });
  },
};
