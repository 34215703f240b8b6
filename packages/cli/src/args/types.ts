// One table per command gives parsing, help and completion: what a flag is called, what it takes and which option it sets.

/** How a flag's value reads: pflag's kinds. */
export type FlagKind = "bool" | "string" | "list" | "int" | "decimal" | "bytes" | "duration";

/** One flag of a command. */
export interface Flag {
  /** Without the dashes. */
  readonly long: string;
  /** One letter. */
  readonly short?: string;
  readonly kind: FlagKind;
  /** Word for the value in help and errors; default by kind. */
  readonly valueName?: string;
  readonly help: string;
  /** Known, but refused: why, and what to do instead. */
  readonly because?: string;
  /** Of a refused flag: the values that are what happens anyway. */
  readonly harmless?: readonly string[];
  /** Accepted but not shown. */
  readonly hidden?: boolean;
  /** Checks and converts one value; throws a LapError whose message goes behind `invalid argument … flag: `. */
  readonly check?: (value: string) => void;
}

/** Parsed flags by long name: booleans, numbers, texts, lists of texts. Absent flags have no key. */
export type FlagValues = Readonly<Record<string, boolean | number | string | readonly string[]>>;

/** What a command gets. */
export interface Invocation {
  readonly flags: FlagValues;
  readonly args: readonly string[];
  readonly global: GlobalOptions;
}

/** Flags before the command. */
export interface GlobalOptions {
  /** Store folder; undefined is the default one. */
  readonly root: string | undefined;
}

/** A command of `lap`. */
export interface Command {
  /** Words that invoke it: `run`, `image ls`. */
  readonly name: string;
  /** Behind `Usage:  lap NAME `. */
  readonly usage: string;
  readonly summary: string;
  /** Every spelling, for help: `lap container run, lap run`. */
  readonly aliases?: readonly string[];
  readonly minArgs: number;
  /** Infinity for any number. */
  readonly maxArgs: number;
  /** False when flags end at the first argument: run, create, exec. */
  readonly interspersed: boolean;
  /** Exit code of an engine error; docker's run and create use 125. */
  readonly errorExitCode: number;
  readonly flags: readonly Flag[];
  /** Resolves to the exit code. */
  run(invocation: Invocation): Promise<number>;
}

/** A mistake in the command line: printed with the usage. */
export class UsageError extends Error {
  readonly exitCode: number;
  /** `Run` or `See`, as docker words the last line. */
  readonly pointer: "Run" | "See";
  /** Starts with `lap: `. */
  readonly isPrefixed: boolean;

  constructor(message: string, exitCode: number, pointer: "Run" | "See", isPrefixed: boolean) {
    super(message);
    this.name = "UsageError";
    this.exitCode = exitCode;
    this.pointer = pointer;
    this.isPrefixed = isPrefixed;
  }
}
