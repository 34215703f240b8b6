// What a prepared container is made of, and the key by which processes of one test run know that they mean the same one.
import { createHash } from "node:crypto";
import type { Box, BoxOptions } from "@lapstrake/engine";

/** A container to prepare once, and to fork for each test. */
export interface Preparation {
  /** As `lap run` takes it. */
  readonly image: string;
  /** Folder of the store; default as `open` has it. */
  readonly root?: string;
  /** WebAssembly boxes in memory, without root; each worker then prepares its own. */
  readonly memory?: boolean;
  /** Of the container and of each fork; `waitFor` holds for the forks too. */
  readonly options?: Omit<BoxOptions, "name" | "keep" | "signal">;
  /** Done once per test run, in whichever worker comes first. */
  readonly prepare?: (box: Box) => void | Promise<void>;
  /** Tells preparations apart whose code and options read the same. */
  readonly key?: string;
}

/** Twelve hex digits: the same for the same image, options and code. */
export function keyOf({ image, options, prepare, key, memory }: Preparation): string {
  const text = JSON.stringify([image, options ?? {}, String(prepare), key ?? "", memory ?? false], withPatterns);
  return createHash("sha256").update(text).digest("hex").slice(0, 12);
}

/** Regular expressions and functions are objects without fields to JSON. */
function withPatterns(_name: string, value: unknown): unknown {
  return value instanceof RegExp || typeof value === "function" ? String(value) : value;
}
