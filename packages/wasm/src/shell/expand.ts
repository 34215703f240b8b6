// Word expansions (XCU 2.6) in their order: tilde, parameters, command substitution, arithmetic, splitting, pathnames.
import type { ByteString } from "@lapstrake/base";
import { evaluate } from "./arithmetic.ts";
import type { Command, Param, Part, Word } from "./ast.ts";
import { Fields } from "./fields.ts";
import { glob } from "./glob.ts";
import { matches } from "./pattern.ts";
import { shellError, type ShellState } from "./state.ts";

/** Runs the commands of a substitution; their output without its last newlines. */
export type Substitute = (body: Command) => ByteString;

const DEFAULT_IFS = " \t\n";

/** How the parts of one word are put together. */
interface Mode {
  readonly fields: Fields;
  /** "$@" makes fields, unquoted results are split. */
  readonly splits: boolean;
}

export class Expander {
  readonly #state: ShellState;
  readonly #substitute: Substitute;

  constructor(state: ShellState, substitute: Substitute) {
    this.#state = state;
    this.#substitute = substitute;
  }

  /** The arguments that the words of a command become. */
  args(words: readonly Word[]): ByteString[] {
    const out: ByteString[] = [];
    for (const word of words) {
      const fields = new Fields(this.#ifs());
      this.#parts(word, { fields, splits: true });
      fields.end();
      for (const { text, pattern } of fields.done) {
        const paths = this.#state.options.f ? [] : glob(this.#state.fs, this.#state.cwd, pattern);
        if (paths.length === 0) out.push(text);
        else out.push(...paths);
      }
    }
    return out;
  }

  /** One value, neither split nor matched: assignments, redirections, here-documents, the word of case. */
  value(word: Word): ByteString {
    return this.#single(word).text;
  }

  /** The word as a pattern. */
  pattern(word: Word): ByteString {
    return this.#single(word).pattern;
  }

  #single(word: Word): { text: ByteString; pattern: ByteString } {
    const fields = new Fields("");
    this.#parts(word, { fields, splits: false });
    fields.end();
    return fields.done[0] ?? { text: "", pattern: "" };
  }

  #ifs(): ByteString {
    return this.#state.get("IFS") ?? DEFAULT_IFS;
  }

  #parts(word: Word, mode: Mode): void {
    for (const part of word) this.#part(part, mode);
  }

  #part(part: Part, mode: Mode): void {
    const { fields } = mode;
    if (part.kind === "tilde") fields.quoted(this.#state.get("HOME") ?? "~");
    else if (part.kind === "text") {
      if (part.quoted) fields.quoted(part.text);
      else fields.literal(part.text);
    } else if (part.kind === "command") this.#put(this.#substitute(part.body), part.quoted, mode);
    else if (part.kind === "arithmetic") this.#put(this.#arithmetic(part.word), part.quoted, mode);
    else this.#param(part.param, part.quoted, mode);
  }

  #put(value: ByteString, quoted: boolean, { fields, splits }: Mode): void {
    if (quoted) fields.quoted(value);
    else if (splits) fields.split(value);
    else if (value !== "") fields.literal(value);
  }

  #arithmetic(word: Word): ByteString {
    const source = this.value(word);
    const state = this.#state;
    const value = evaluate(source, {
      get: (name) => this.#lookup(name) ?? "",
      set: (name, text) => state.set(name, text),
    });
    return String(value);
  }

  #param(param: Param, quoted: boolean, mode: Mode): void {
    const { name, op } = param;
    const value = op === "" || op === "length" || "%#".includes(op[0]!) ? this.#lookup(name) : this.#value(name);
    const unset = value === undefined || (param.colon && value === "");
    if (op === "+" ? !unset : unset && "-=?".includes(op) && op !== "") return this.#alternative(param, quoted, mode);
    if (op === "+") return;
    if (op === "length") return this.#put(String((value ?? "").length), quoted, mode);
    if ((name === "@" || name === "*") && (op === "" || "-=?".includes(op))) return this.#list(name, quoted, mode);
    if (op.startsWith("%") || op.startsWith("#")) {
      return this.#put(trim(value ?? "", this.pattern(param.word), op), quoted, mode);
    }
    this.#put(value ?? "", quoted, mode);
  }

  /** The word after "-", "=", "?" or "+" takes the place of the value. */
  #alternative(param: Param, quoted: boolean, mode: Mode): void {
    if (param.op === "?") throw shellError(`${param.name}: ${this.value(param.word) || "parameter not set"}`);
    if (param.op !== "=") {
      for (const part of param.word) this.#alternativePart(part, quoted, mode);
      if (quoted && param.word.length === 0) mode.fields.quoted("");
      return;
    }
    if (!/^[A-Za-z_]/.test(param.name)) throw shellError(`${param.name}: cannot be assigned`);
    const value = this.value(param.word);
    this.#state.set(param.name, value);
    this.#put(value, quoted, mode);
  }

  /** Unquoted text of such a word is split like the result of an expansion. */
  #alternativePart(part: Part, quoted: boolean, mode: Mode): void {
    if (part.kind === "text" && !part.quoted && !quoted && mode.splits) mode.fields.split(part.text);
    else this.#part(part, mode);
  }

  /** "$@" is a field per parameter, "$*" one field; unquoted, both are a field per parameter and split further. */
  #list(name: "@" | "*", quoted: boolean, mode: Mode): void {
    const { params } = this.#state;
    if (!mode.splits || (quoted && name === "*")) {
      mode.fields.quoted(params.join((this.#state.get("IFS") ?? " ").slice(0, 1)));
      return;
    }
    for (const [index, value] of params.entries()) {
      if (index > 0) mode.fields.end();
      this.#put(value, quoted, mode);
    }
  }

  /** The value; an error under `set -u` when there is none. */
  #lookup(name: string): ByteString | undefined {
    const value = this.#value(name);
    if (value === undefined && this.#state.options.u && !"@*".includes(name))
      throw shellError(`${name}: parameter not set`);
    return value;
  }

  #value(name: string): ByteString | undefined {
    const state = this.#state;
    if (/^\d+$/.test(name)) return name === "0" ? state.name : state.params[Number(name) - 1];
    switch (name) {
      case "#":
        return String(state.params.length);
      case "?":
        return String(state.status);
      case "$":
        return "1";
      case "!":
        return "";
      case "-":
        return Object.entries(state.options)
          .flatMap(([letter, on]) => (on === true ? [letter] : []))
          .join("");
      case "@":
      case "*":
        return state.params.length === 0 ? undefined : state.params.join(" ");
      default:
        return state.get(name);
    }
  }
}

/** Removes the shortest ("%", "#") or longest ("%%", "##") match from the end or the start. */
function trim(value: ByteString, pattern: ByteString, op: string): ByteString {
  const suffix = op.startsWith("%");
  const lengths = Array.from({ length: value.length + 1 }, (_, length) => length);
  if (op.length === 2) lengths.reverse();
  for (const length of lengths) {
    const cut = suffix ? value.length - length : length;
    if (matches(pattern, suffix ? value.slice(cut) : value.slice(0, cut))) {
      return suffix ? value.slice(0, cut) : value.slice(cut);
    }
  }
  return value;
}
