// A command's table and its argv -> an Invocation: the normaliser's tokens become values, repeated ones lists.
import { LapError } from "@lapstrake/base";
import { normalise } from "./normalise.ts";
import { UsageError, type Command, type Flag, type FlagValues } from "./types.ts";
import { flagValue } from "./values.ts";

/** Flags and arguments of a command line, or that help was asked for. */
export interface ParsedCommand {
  readonly flags: FlagValues;
  readonly args: readonly string[];
  readonly help: boolean;
}

/** Throws {@link UsageError}. */
export function parseCommand(command: Command, argv: readonly string[]): ParsedCommand {
  const { tokens, args, help } = normalise(argv, command);
  if (help) return { flags: {}, args, help };
  checkArgCount(command, args.length);
  const values: Record<string, boolean | number | string | string[]> = {};
  for (const { flag, value } of tokens) {
    collect(values, flag, value);
    refuse(flag, value);
  }
  return { flags: values, args, help };
}

function refuse({ long, because, harmless = [] }: Flag, value: string): void {
  if (because === undefined || harmless.includes(value)) return;
  throw new LapError("unimplemented", "ERR_LAP_NOT_SUPPORTED", `--${long} is not supported, because ${because}`);
}

function collect(values: Record<string, boolean | number | string | string[]>, flag: Flag, text: string): void {
  const value = flagValue(flag, text);
  if (flag.kind !== "list") values[flag.long] = value;
  else values[flag.long] = [...((values[flag.long] as string[] | undefined) ?? []), String(value)];
}

function checkArgCount(command: Command, count: number): void {
  const { minArgs: min, maxArgs: max } = command;
  if (count >= min && count <= max) return;
  if (max === 0) throw wrongCount(command, "accepts no arguments", "Run");
  if (min === max) throw wrongCount(command, `requires ${min} ${plural(min)}`, "Run");
  if (count < min) throw wrongCount(command, `requires at least ${min} ${plural(min)}`, "See");
  throw wrongCount(command, `requires at most ${max} ${plural(max)}`, "See");
}

function wrongCount(command: Command, text: string, pointer: "Run" | "See"): UsageError {
  return new UsageError(`'lap ${command.name}' ${text}`, 1, pointer, true);
}

function plural(count: number): string {
  return count === 1 ? "argument" : "arguments";
}

/** Typed access to parsed flags; the kinds are those of the table. */
export function readFlags(flags: FlagValues): FlagReader {
  return {
    bool: (name) => flags[name] === true,
    has: (name) => flags[name] !== undefined,
    text: (name) => flags[name] as string | undefined,
    number: (name) => flags[name] as number | undefined,
    list: (name) => (flags[name] as readonly string[] | undefined) ?? [],
  };
}

export interface FlagReader {
  bool(name: string): boolean;
  has(name: string): boolean;
  text(name: string): string | undefined;
  number(name: string): number | undefined;
  list(name: string): readonly string[];
}
