// The command line's dialect: `--x v`, `--x=v`, `-x v`, switches, lists; unknown flags are errors. Tables, no library:
// engines call these commands several times per container.
import { LapError } from "@lapstrake/base";

/** A flag takes a value, several, or none. */
export type FlagKind = "value" | "list" | "switch";

/** Flags of a command by their long name; `short` names single letters. */
export interface FlagTable {
  readonly flags: Readonly<Record<string, FlagKind>>;
  readonly short?: Readonly<Record<string, string>>;
  /** Stop at the first word that is no flag, and take the rest as it is (exec's program). */
  readonly restIsArgs?: boolean;
}

/** What was given. */
export interface Parsed {
  readonly values: ReadonlyMap<string, readonly string[]>;
  readonly words: readonly string[];
}

function usage(message: string): LapError {
  return new LapError("invalidArgument", "ERR_LAP_USAGE", message);
}

function nameOf(arg: string, table: FlagTable): string {
  const bare = arg.replace(/^--?/, "").replace(/=.*$/s, "");
  const long = table.short?.[bare] ?? bare;
  if (!Object.hasOwn(table.flags, long)) throw usage(`flag provided but not defined: ${arg.replace(/=.*$/s, "")}`);
  return long;
}

function inlineValue(arg: string): string | undefined {
  const equals = arg.indexOf("=");
  return equals < 0 ? undefined : arg.slice(equals + 1);
}

/** Parses until the words are complete. With `stopAtWord` the first word ends it (global flags before the command). */
export function parseFlags(argv: readonly string[], table: FlagTable, stopAtWord = false): Parsed & { rest: string[] } {
  const values = new Map<string, string[]>();
  const words: string[] = [];
  let at = 0;
  for (; at < argv.length; at++) {
    const arg = argv[at]!;
    if (arg === "--") {
      words.push(...argv.slice(at + 1));
      return { values, words, rest: [] };
    }
    if (!arg.startsWith("-") || arg === "-") {
      if (stopAtWord) break;
      words.push(arg);
      if (table.restIsArgs === true && words.length > 0) {
        words.push(...argv.slice(at + 1));
        return { values, words, rest: [] };
      }
      continue;
    }
    const name = nameOf(arg, table);
    let value = inlineValue(arg);
    if (table.flags[name] === "switch") value ??= "true";
    else if (value === undefined) {
      value = argv[++at];
      if (value === undefined) throw usage(`flag needs an argument: ${arg}`);
    }
    values.set(name, table.flags[name] === "list" ? [...(values.get(name) ?? []), value] : [value]);
  }
  return { values, words, rest: argv.slice(at) };
}

/** Last value of a flag. */
export function value(parsed: Parsed, name: string): string | undefined {
  return parsed.values.get(name)?.at(-1);
}

/** True when a switch is on. */
export function isOn(parsed: Parsed, name: string): boolean {
  const given = value(parsed, name);
  if (given !== undefined && given !== "true" && given !== "false")
    throw usage(`invalid boolean value "${given}" for --${name}`);
  return given === "true";
}

/** Whole number of a flag; throws `ERR_LAP_USAGE`. */
export function numberOf(parsed: Parsed, name: string): number | undefined {
  const given = value(parsed, name);
  if (given === undefined) return undefined;
  if (!/^-?\d+$/.test(given)) throw usage(`invalid value "${given}" for --${name}`);
  return Number(given);
}

/** The one word a command wants, usually the container's id. */
export function onlyWord(parsed: Parsed, what: string): string {
  if (parsed.words.length !== 1) throw usage(`exactly one argument is needed: ${what}`);
  return parsed.words[0]!;
}
