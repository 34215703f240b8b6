// What a command is: its flags and what it does; the result is the exit code.
import type { RuntimeContext } from "./context.ts";
import type { FlagTable, Parsed } from "./flags.ts";

/** One command of lap-runtime. */
export interface Command {
  readonly table: FlagTable;
  run(context: RuntimeContext, parsed: Parsed): Promise<number> | number;
}

/** A command without flags. */
export const NO_FLAGS: FlagTable = { flags: {} };
