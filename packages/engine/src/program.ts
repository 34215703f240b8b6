// Which program the engine starts again as a process of its own: to clean up after a container (`_reap`), to run a Wasm guest
// (`_wasm`). The command line passes itself; a library user gets this package's main file.
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** A program and the folders it needs to see to run. */
export interface EngineProgram {
  /** Absolute program path and leading arguments; a verb and its arguments are appended. */
  readonly argv: readonly string[];
  /** Folders shown read-only to a sandboxed copy of it. */
  readonly roots: readonly string[];
  /** A smaller program for the verb `_wasm`, which loads nothing else; absent: `argv` has it too. */
  readonly wasmArgv?: readonly string[];
  /** Called when a Wasm container has started: the place to prepare the next start. */
  readonly wasmStarted?: () => void;
}

/** `main` beside this file, run by the Node that runs now. */
export function defaultProgram(): EngineProgram {
  const here = dirname(fileURLToPath(import.meta.url));
  const source = join(here, "main.ts");
  if (existsSync(source)) return nodeProgram(source, ["--conditions=@lapstrake/source"]);
  return nodeProgram(join(here, "main.js"), []);
}

/** `file` run by the present Node. */
export function nodeProgram(file: string, flags: readonly string[]): EngineProgram {
  return {
    argv: [process.execPath, "--disable-warning=ExperimentalWarning", ...flags, file],
    roots: [dirname(process.execPath), moduleRoot(file)],
  };
}

/** The folder that holds everything `file` may import: its outermost node_modules, else the workspace, else its own folder. */
function moduleRoot(file: string): string {
  const marker = "/node_modules/";
  const at = file.indexOf(marker);
  if (at >= 0) return file.slice(0, at + marker.length - 1);
  for (let dir = dirname(file); dir !== "/"; dir = dirname(dir)) {
    if (existsSync(join(dir, "pnpm-workspace.yaml"))) return dir;
  }
  return dirname(file);
}
