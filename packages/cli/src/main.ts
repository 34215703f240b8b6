// Dispatch: which command a command line names, and what is printed when it fails. Commands are imported when invoked.
import { LapError } from "@lapstrake/base";
import { commandHelp } from "./args/help.ts";
import { parseCommand } from "./args/parse.ts";
import { UsageError, type Command, type GlobalOptions } from "./args/types.ts";
import { findCommand, helpOf } from "./commands/registry.ts";
import { reportError, reportUsage } from "./errors.ts";
import { err, out } from "./output/print.ts";
import { VERSION } from "./version.ts";

/** Runs one command line; resolves to the exit code and never rejects. */
export async function main(argv: readonly string[]): Promise<number> {
  try {
    return await dispatch(argv);
  } catch (error) {
    if (!(error instanceof UsageError)) return reportError(error, undefined);
    err(`${error.message}\n\nUsage:  lap [OPTIONS] COMMAND [ARG...]\n\nRun 'lap --help' for more information\n`);
    return error.exitCode;
  }
}

/** What docker ends with when its words make no sense. */
const USAGE = 125;

interface Split {
  readonly global: GlobalOptions;
  readonly rest: readonly string[];
  readonly action: "run" | "help" | "version";
}

async function dispatch(argv: readonly string[]): Promise<number> {
  const { global, rest, action } = splitGlobal(argv);
  if (action === "version") {
    out(`lapstrake version ${VERSION}\n`);
    return 0;
  }
  if (action === "help" || rest.length === 0 || rest[0] === "help") {
    return helpFor(rest.slice(1));
  }
  const found = await findCommand(rest);
  if (found === undefined) return withoutCommand(rest);
  if (process.geteuid?.() !== 0) (await import("./start/rootless.ts")).enterIds(found.command.name, global);
  return runCommand(found.command, found.argv, global);
}

/** `lap help [WORDS]`. */
async function helpFor(words: readonly string[]): Promise<number> {
  const found = await findCommand(words);
  const text = found === undefined ? await helpOf(words[0]) : await commandHelp(found.command);
  if (text !== undefined) {
    out(text);
    return 0;
  }
  const hint = (await import("./commands/not-here.ts")).instead(words);
  err(
    hint === undefined
      ? `unknown help topic: ${words.join(" ")}\n`
      : `lap: 'lap ${words.join(" ")}' is not supported: ${hint}\n`,
  );
  return 1;
}

/** A group alone shows its help; a word that is no command is told, or what to do instead where docker knows it. */
async function withoutCommand(words: readonly string[]): Promise<number> {
  const [group = "", verb] = words;
  const help = await helpOf(group);
  const wantsHelp = words.some((word) => word === "--help" || word === "-h");
  if (help !== undefined && (verb === undefined || wantsHelp)) {
    (verb === undefined ? err : out)(help);
    return 0;
  }
  const name = help === undefined ? `lap ${group}` : `lap ${group} ${verb}`;
  const hint = (await import("./commands/not-here.ts")).instead(words);
  if (hint !== undefined) err(`lap: '${name}' is not supported: ${hint}\n`);
  else if (help === undefined) err(`lap: unknown command: ${name}\n\nRun 'lap --help' for more information\n`);
  else err(`lap: unknown command: ${name}\n\nUsage:  lap ${group}\n\nRun 'lap ${group} --help' for more information\n`);
  return 1;
}

async function runCommand(command: Command, argv: readonly string[], global: GlobalOptions): Promise<number> {
  try {
    if (argv.some((word) => word.includes("\ufffd"))) (await import("./args/raw-text.ts")).requireTextArguments(argv);
    const { flags, args, help } = parseCommand(command, argv);
    if (help) {
      out(await commandHelp(command));
      return 0;
    }
    return await command.run({ flags, args, global });
  } catch (error) {
    return error instanceof UsageError ? reportUsage(error, command) : reportError(error, command);
  }
}

/** Flags before the command. Throws `ERR_LAP_GLOBAL_FLAG`. */
function splitGlobal(argv: readonly string[]): Split {
  let root: string | undefined;
  let at = 0;
  for (; at < argv.length && argv[at]!.startsWith("-"); at++) {
    const word = argv[at]!;
    if (word === "--help" || word === "-h") return { global: { root }, rest: [], action: "help" };
    if (word === "--version" || word === "-v") return { global: { root }, rest: [], action: "version" };
    const daemon = daemonOf(word, argv[at + 1]);
    if (daemon !== undefined) throw noDaemon(daemon);
    if (word === "-D" || word === "--debug") {
      process.env["LAP_TRACE"] = "1";
      continue;
    }
    const [name = ""] = word.split("=", 1);
    const take = VALUES[name];
    if (take === undefined) throw unknownGlobal(word);
    const value = word === name ? argv[++at] : word.slice(name.length + 1);
    if (value === undefined || value === "") throw needsArgument(name);
    root = take(value) ?? root;
  }
  return { global: { root }, rest: argv.slice(at), action: "run" };
}

/** The address of docker's -H and --host; undefined for another flag. */
function daemonOf(word: string, next: string | undefined): string | undefined {
  if (word === "-H" || word === "--host") return next ?? "";
  return /^(?:--host=|-H=?)(.+)$/.exec(word)?.[1];
}

/** There is no daemon, so nothing answers at any address. */
function noDaemon(address: string): LapError {
  return new LapError(
    "unavailable",
    "ERR_LAP_NO_DAEMON",
    `Cannot connect to the Docker daemon at ${address}. Is the docker daemon running?`,
  );
}

/** Global flags with a value: what it is kept as. --root alone gives it back. */
const VALUES: Readonly<Record<string, (value: string) => string | void>> = {
  "--root": (folder) => folder,
  "--config": (folder) => void (process.env["DOCKER_CONFIG"] = folder),
  "--storage-driver": (driver) => void (process.env["LAP_STORAGE_DRIVER"] = driver),
  "--context": requireDefault,
  "-c": requireDefault,
};

/** Of contexts there is one. */
function requireDefault(context: string): void {
  if (context === "default") return;
  throw new LapError("notFound", "ERR_LAP_GLOBAL_FLAG", `context "${context}": context not found`);
}

function needsArgument(flag: string): UsageError {
  return new UsageError(`flag needs an argument: ${flag}`, USAGE, "Run", false);
}

/** In pflag's words. */
function unknownGlobal(word: string): UsageError {
  const what = word.startsWith("--")
    ? `flag: ${word.split("=", 1)[0]!}`
    : `shorthand flag: '${word[1] ?? ""}' in ${word}`;
  return new UsageError(`unknown ${what}`, USAGE, "Run", false);
}
