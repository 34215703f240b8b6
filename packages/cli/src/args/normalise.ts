// argv in the dialect of spf13/pflag (what docker speaks) -> tokens with every value attached: `-it` is two flags, `-eX`, `-e X`
// and `-e=X` are one, `--rm=false` is a value, `--` ends flags, and run and exec stop at the first argument.
import { UsageError, type Command, type Flag } from "./types.ts";

/** One flag as given, with its value as text. */
export interface FlagToken {
  readonly flag: Flag;
  readonly value: string;
}

/** The normal form of a command line. */
export interface Normalised {
  readonly tokens: readonly FlagToken[];
  readonly args: readonly string[];
  readonly help: boolean;
}

/** Throws {@link UsageError} for an unknown flag or a missing value (exit code 125). */
export function normalise(argv: readonly string[], command: Pick<Command, "flags" | "interspersed">): Normalised {
  const tokens: FlagToken[] = [];
  const args: string[] = [];
  let help = false;
  for (let i = 0; i < argv.length; i++) {
    const word = argv[i]!;
    if (word === "--") {
      args.push(...argv.slice(i + 1));
      break;
    }
    if (word.length < 2 || !word.startsWith("-")) {
      args.push(word);
      if (command.interspersed) continue;
      args.push(...argv.slice(i + 1));
      break;
    }
    if (word === "--help" || (word === "-h" && !command.flags.some((flag) => flag.short === "h"))) {
      help = true;
      continue;
    }
    const next = (): string | undefined => argv[++i];
    if (word.startsWith("--")) tokens.push(longFlag(word, next, command.flags));
    else tokens.push(...shortFlags(word, next, command.flags));
  }
  return { tokens, args, help };
}

function longFlag(word: string, next: () => string | undefined, flags: readonly Flag[]): FlagToken {
  const equals = word.indexOf("=");
  const name = word.slice(2, equals < 0 ? undefined : equals);
  const flag = flags.find((candidate) => candidate.long === name);
  if (flag === undefined) throw usage(`unknown flag: --${name}`);
  if (equals >= 0) return { flag, value: word.slice(equals + 1) };
  if (flag.kind === "bool") return { flag, value: "true" };
  const value = next();
  if (value === undefined) throw usage(`flag needs an argument: --${name}`);
  return { flag, value };
}

function shortFlags(word: string, next: () => string | undefined, flags: readonly Flag[]): FlagToken[] {
  const tokens: FlagToken[] = [];
  for (let at = 1; at < word.length; at++) {
    const letter = word[at]!;
    const flag = flags.find((candidate) => candidate.short === letter);
    if (flag === undefined) throw usage(`unknown shorthand flag: '${letter}' in -${word.slice(at)}`);
    const rest = word.slice(at + 1);
    if (rest.startsWith("=")) return [...tokens, { flag, value: rest.slice(1) }];
    if (flag.kind !== "bool") {
      const value = rest === "" ? next() : rest;
      if (value === undefined) throw usage(`flag needs an argument: '${letter}' in -${word.slice(at)}`);
      return [...tokens, { flag, value }];
    }
    tokens.push({ flag, value: "true" });
  }
  return tokens;
}

function usage(message: string): UsageError {
  return new UsageError(message, 125, "Run", false);
}
