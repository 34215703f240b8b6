// What the engine starts of itself: clean-up after a container, the keeper, and the payload of a Wasm container. Not for people.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { keepStore, reapById, runWasmPayload } from "@lapstrake/engine";
import type { Command } from "../args/types.ts";
import { engineFor } from "../open.ts";

const internal = {
  summary: "Started by the engine",
  interspersed: false,
  errorExitCode: 1,
  flags: [],
} as const;

/** Opening a store makes it: who comes late must not bring back one that was removed. */
function isStore(root: string): boolean {
  return existsSync(join(root, "layout.json"));
}

export const reapCommand: Command = {
  ...internal,
  name: "_reap",
  usage: "ROOT CONTAINER [EXEC] [oom]",
  minArgs: 2,
  maxArgs: 4,
  async run({ args }) {
    if (isStore(args[0]!)) await reapById(engineFor({ root: args[0] }), args[1]!, ...args.slice(2));
    return 0;
  },
};

export const keeperCommand: Command = {
  ...internal,
  name: "_keeper",
  usage: "ROOT",
  minArgs: 1,
  maxArgs: 1,
  async run({ args }) {
    if (isStore(args[0]!)) await keepStore(engineFor({ root: args[0] }));
    return 0;
  },
};

export const wasmCommand: Command = {
  ...internal,
  name: "_wasm",
  usage: "CONTAINER_DIR ROOT [FLAG]",
  minArgs: 2,
  maxArgs: 3,
  async run({ args }) {
    return runWasmPayload(args[0]!, args[1]!, args[2]);
  },
};
