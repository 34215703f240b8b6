// Node reads arguments and environment as UTF-8 and puts U+FFFD where they are not. Containers' settings are JSON, which has no
// other bytes either (runtime-spec config.md), so such text is refused rather than changed on the way.
import { readFileSync } from "node:fs";
import { isUtf8 } from "node:buffer";
import { LapError } from "@lapstrake/base";

const REPLACEMENT = "\ufffd";
const HINT = "settings of containers are JSON text: hand other bytes over in a file or by standard input";

/** Throws `ERR_LAP_NOT_TEXT` when an argument of this process was other bytes than what Node made of it. */
export function requireTextArguments(argv: readonly string[]): void {
  if (!argv.some((word) => word.includes(REPLACEMENT))) return;
  const raw = rawWords("/proc/self/cmdline").slice(-argv.length);
  const at = argv.findIndex((word, i) => word.includes(REPLACEMENT) && !isText(raw[i]));
  if (at >= 0) throw notText(`argument ${at + 1} ("${argv[at]!}")`);
}

/** This process's value of a variable. Throws `ERR_LAP_NOT_TEXT`. */
export function textVariable(name: string): string | undefined {
  const value = process.env[name];
  if (value?.includes(REPLACEMENT) !== true) return value;
  const raw = rawWords("/proc/self/environ").find((word) => word.toString("latin1").startsWith(`${name}=`));
  if (!isText(raw)) throw notText(`the value of ${name}`);
  return value;
}

/** Words that end with a NUL each; [] where there is no /proc: then what Node says must do. */
function rawWords(file: string): Buffer[] {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch {
    return [];
  }
  const words: Buffer[] = [];
  for (let start = 0; start < bytes.length;) {
    const end = bytes.indexOf(0, start);
    words.push(bytes.subarray(start, end < 0 ? bytes.length : end));
    start = end < 0 ? bytes.length : end + 1;
  }
  return words;
}

function isText(word: Buffer | undefined): boolean {
  return word === undefined || isUtf8(word);
}

function notText(what: string): LapError {
  return new LapError("invalidArgument", "ERR_LAP_NOT_TEXT", `${what} is not UTF-8 text`, { hint: HINT });
}
