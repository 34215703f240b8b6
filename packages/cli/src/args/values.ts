// Text of a flag -> its value, with the errors of pflag and of Go's strconv in their words.
import { LapError, parseDurationMs, parseSize } from "@lapstrake/base";
import { UsageError, type Flag } from "./types.ts";

const BOOL: Readonly<Record<string, boolean>> = {
  "1": true,
  t: true,
  T: true,
  true: true,
  TRUE: true,
  True: true,
  "0": false,
  f: false,
  F: false,
  false: false,
  FALSE: false,
  False: false,
};

/** Converted value; throws {@link UsageError} with exit code 125. Durations become milliseconds, sizes bytes. */
export function flagValue(flag: Flag, text: string): boolean | number | string {
  try {
    flag.check?.(text);
    return convert(flag, text);
  } catch (error) {
    if (!(error instanceof LapError)) throw error;
    const name = flag.short === undefined ? `--${flag.long}` : `-${flag.short}, --${flag.long}`;
    throw new UsageError(`invalid argument "${text}" for "${name}" flag: ${error.message}`, 125, "Run", false);
  }
}

function convert(flag: Flag, text: string): boolean | number | string {
  switch (flag.kind) {
    case "bool":
      return BOOL[text] ?? fail(`strconv.ParseBool: parsing "${text}": invalid syntax`);
    case "int":
      return /^[+-]?\d+$/.test(text) ? Number(text) : fail(`strconv.ParseInt: parsing "${text}": invalid syntax`);
    case "decimal":
      return /^\d*\.?\d+$/.test(text) ? Number(text) : fail(`failed to parse ${text} as a rational number`);
    case "bytes":
      return text === "-1" ? -1 : parseSize(text);
    case "duration":
      return goDurationMs(text);
    case "string":
    case "list":
      return text;
  }
}

function goDurationMs(text: string): number {
  try {
    return parseDurationMs(text);
  } catch (error) {
    return fail(`time: ${(error as Error).message}`);
  }
}

function fail(message: string): never {
  throw new LapError("invalidArgument", "ERR_LAP_FLAG_VALUE", message);
}
