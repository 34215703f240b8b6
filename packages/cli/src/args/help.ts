// Help as docker lays it out: usage, summary, aliases, options in two columns. Commander wraps and aligns; it is imported for
// help only, because its import costs a third of a short command.
import type { Command, Flag } from "./types.ts";

const WIDTH = 80;
const GAP = 3;
const MIN_TEXT = 20;
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
export async function commandHelp(command: Command): Promise<string> {
  const parts = [`Usage:  lap ${command.name} ${command.usage}`.trimEnd(), "", command.summary];
  if (command.aliases !== undefined) parts.push("", "Aliases:", `  ${command.aliases.join(", ")}`);
  const shown = command.flags.filter((flag) => flag.hidden !== true);
  if (shown.length > 0) parts.push("", "Options:", ...(await optionLines(shown)));
  return `${parts.join("\n")}\n`;
}

/** The usage line that follows a mistake. */
export function usageLine(command: Command): string {
  return `Usage:  lap ${command.name} ${command.usage}`.trimEnd();
}

async function optionLines(flags: readonly Flag[]): Promise<string[]> {
  const { Help } = await import("commander");
  const helper = new Help();
  helper.prepareContext({ helpWidth: WIDTH });
  helper.minWidthToWrap = MIN_TEXT;
  const terms = flags.map(optionTerm);
  const column = Math.max(...terms.map((term) => term.length));
  return flags.flatMap((flag, i) => {
    const lines = helper.boxWrap(flag.help, Math.max(MIN_TEXT, WIDTH - column - GAP)).split("\n");
    return lines.map((line, n) => (n === 0 ? terms[i]! : "").padEnd(column + GAP) + line);
  });
}

function optionTerm(flag: Flag): string {
  const short = flag.short === undefined ? "    " : `-${flag.short}, `;
  const value = flag.valueName ?? KIND_NAMES[flag.kind];
  return `  ${short}--${flag.long}${value === "" ? "" : ` ${value}`}`;
}
