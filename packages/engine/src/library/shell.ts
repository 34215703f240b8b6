// box.$`…`: a line for the box's sh, with every value quoted, so that what is put in stays one word (POSIX shell, 2.2.2 Single-Quotes).
import { LapError } from "@lapstrake/base";
import type { Process } from "./process.ts";
import type { ExecOptions } from "./types.ts";

/** What may stand in a template: one word each, a list as several, the output of an earlier command without its last line end. */
export type ShellValue = string | number | boolean | bigint | URL | readonly ShellValue[] | { readonly stdout: string };

/** The tag; called with options it gives a tag that uses them. Rejects with a ProcessError on failure unless `check: false`. */
export interface Shell {
  (parts: TemplateStringsArray, ...values: readonly ShellValue[]): Process;
  (options: ExecOptions): Shell;
}

/** The tag over `run`. */
export function shellTag(run: (line: string, options: ExecOptions) => Process, defaults: ExecOptions = {}): Shell {
  function tag(parts: TemplateStringsArray, ...values: readonly ShellValue[]): Process;
  function tag(options: ExecOptions): Shell;
  function tag(first: TemplateStringsArray | ExecOptions, ...values: readonly ShellValue[]): Process | Shell {
    if (!isTemplate(first)) return shellTag(run, { ...defaults, ...first });
    return run(shellLine(first, values), { check: true, ...defaults });
  }
  return tag;
}

function isTemplate(value: TemplateStringsArray | ExecOptions): value is TemplateStringsArray {
  return Array.isArray(value) && "raw" in value;
}

/** The text for sh. Throws `ERR_LAP_SHELL_VALUE` for what is no word. */
export function shellLine(parts: TemplateStringsArray, values: readonly ShellValue[]): string {
  return parts.raw.map((part, index) => part + (index < values.length ? quoteValue(values[index]!) : "")).join("");
}

function quoteValue(value: ShellValue): string {
  if (Array.isArray(value)) return value.map((each: ShellValue) => quoteValue(each)).join(" ");
  if (typeof value === "object" && value !== null && "stdout" in value)
    return quote(value.stdout.replace(/\r?\n$/, ""));
  if (typeof value === "string") return quote(value);
  if (typeof value === "number" || typeof value === "boolean" || typeof value === "bigint") return quote(`${value}`);
  if (value instanceof URL) return quote(value.href);
  throw notAWord(`a value of type ${value === null ? "null" : typeof value}`);
}

/** One word for sh. */
export function quote(text: string): string {
  if (text.includes("\0")) throw notAWord("text with a NUL byte");
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

function notAWord(what: string): LapError {
  return new LapError("invalidArgument", "ERR_LAP_SHELL_VALUE", `${what} is no word for a shell`, {
    hint: "put in text, numbers, lists of them, or results",
  });
}
