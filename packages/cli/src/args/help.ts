// Help as docker lays it out: usage, summary, aliases, options in two columns, wrapped at 80.
import type { Command, Flag } from "./types.ts";

const WIDTH = 80;
const KIND_NAMES: Readonly<Record<Flag["kind"], string>> = {
  bool: "",
  string: "string",
  list: "list",
  int: "int",
  decimal: "decimal",
  bytes: "bytes",
  duration: "duration",
};

/** The full help text of a command. */
export function commandHelp(command: Command): string {
  const parts = [`Usage:  lap ${command.name} ${command.usage}`.trimEnd(), "", command.summary];
  if (command.aliases !== undefined) parts.push("", "Aliases:", `  ${command.aliases.join(", ")}`);
  const shown = command.flags.filter((flag) => flag.hidden !== true);
  if (shown.length > 0) parts.push("", "Options:", ...optionLines(shown));
  return `${parts.join("\n")}\n`;
}

/** The usage line that follows a mistake. */
export function usageLine(command: Command): string {
  return `Usage:  lap ${command.name} ${command.usage}`.trimEnd();
}

function optionLines(flags: readonly Flag[]): string[] {
  const left = flags.map((flag) => {
    const short = flag.short === undefined ? "    " : `-${flag.short}, `;
    const value = flag.valueName ?? KIND_NAMES[flag.kind];
    return `  ${short}--${flag.long}${value === "" ? "" : ` ${value}`}`;
  });
  const column = Math.max(...left.map((text) => text.length)) + 3;
  return flags.flatMap((flag, i) => {
    const lines = wrap(flag.help, Math.max(20, WIDTH - column));
    return lines.map((line, n) => (n === 0 ? left[i]! : "").padEnd(column) + line);
  });
}

/** Breaks text at blanks into lines of at most `width`. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}
