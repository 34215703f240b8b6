// Words: quoting (XCU 2.2) and the four kinds of "$" (2.6). Command substitutions are parsed by the parser that hands itself in.
import type { ByteString } from "@lapstrake/base";
import type { Command, Param, Part, Word } from "./ast.ts";
import { Reader, syntaxError } from "./reader.ts";

/** Parses the commands of a substitution: up to ")" of the same text, or a text of its own. */
export interface CommandParser {
  untilParen(reader: Reader): Command;
  whole(source: ByteString): Command;
}

const NAME = /[A-Za-z_][A-Za-z0-9_]*/y;
const SPECIAL = /[@*#?$!0-9-]/y;
const PLAIN = /[^\s;&|<>()\\'"`$]+/y;
const META = /[\s;&|<>()]/;

interface Mode {
  /** Inside double quotes, or a here-document. */
  readonly quoted: boolean;
  /** The word ends before this character; "" for an ordinary word, which ends at blanks and operators. */
  readonly stop: string;
  /** Double quotes are ordinary characters: here-documents. */
  readonly rawQuotes: boolean;
}

const ORDINARY: Mode = { quoted: false, stop: "", rawQuotes: false };

/** The word at the cursor, undefined when there is none. */
export function readWord(reader: Reader, commands: CommandParser): Word | undefined {
  const parts: Part[] = [];
  if (reader.peek() === "~" && /^(?:[\s;&|<>()/]|)$/.test(reader.peek(1))) {
    reader.next();
    parts.push({ kind: "tilde" });
  }
  parts.push(...new WordReader(reader, commands).parts(ORDINARY));
  return parts.length === 0 ? undefined : parts;
}

/** The body of a here-document whose delimiter was not quoted. */
export function readHereText(text: ByteString, commands: CommandParser): Word {
  return new WordReader(new Reader(text), commands).parts({ quoted: true, stop: "", rawQuotes: true });
}

class WordReader {
  readonly #in: Reader;
  readonly #commands: CommandParser;

  constructor(reader: Reader, commands: CommandParser) {
    this.#in = reader;
    this.#commands = commands;
  }

  parts(mode: Mode): Part[] {
    const out: Part[] = [];
    while (!this.#atEnd(mode)) this.#part(mode, out);
    return out;
  }

  #atEnd(mode: Mode): boolean {
    const next = this.#in.peek();
    if (next === "") return true;
    if (mode.stop !== "") return this.#in.startsWith(mode.stop);
    return !mode.quoted && META.test(next);
  }

  #part(mode: Mode, out: Part[]): void {
    const next = this.#in.peek();
    if (next === "\\") this.#backslash(mode, out);
    else if (next === "$") out.push(this.#dollar(mode));
    else if (next === "`") out.push(this.#backquote(mode));
    else if (next === '"' && !mode.rawQuotes) this.#doubleQuotes(mode, out);
    else if (next === "'" && !mode.quoted) {
      this.#in.next();
      out.push({ kind: "text", text: this.#in.until("'", "quoted string"), quoted: true });
    } else out.push({ kind: "text", text: this.#plain(mode), quoted: mode.quoted });
  }

  #plain(mode: Mode): string {
    if (mode.stop === "" && !mode.quoted) return this.#in.match(PLAIN) || this.#in.next();
    return this.#in.next();
  }

  #backslash(mode: Mode, out: Part[]): void {
    this.#in.next();
    const escaped = this.#in.next();
    if (escaped === "\n") return;
    const keeps = mode.quoted && !`$\`\\${mode.rawQuotes ? "" : '"'}${mode.stop}`.includes(escaped);
    out.push({ kind: "text", text: (keeps || escaped === "" ? "\\" : "") + escaped, quoted: true });
  }

  #doubleQuotes(mode: Mode, out: Part[]): void {
    this.#in.next();
    // A quote inside a quoted "${x-...}" switches quoting off for a while; nobody depends on it, so it only vanishes.
    if (mode.quoted && mode.stop === "}") return;
    const before = out.length;
    out.push(...this.parts({ quoted: true, stop: '"', rawQuotes: false }));
    if (this.#in.next() !== '"') throw syntaxError("unterminated quoted string", this.#in.line);
    if (out.length === before) out.push({ kind: "text", text: "", quoted: true });
  }

  #dollar(mode: Mode): Part {
    const { quoted } = mode;
    this.#in.next();
    if (this.#in.startsWith("((")) return this.#arithmetic(quoted);
    if (this.#in.accept("(")) return { kind: "command", body: this.#commands.untilParen(this.#in), quoted };
    if (this.#in.accept("{")) return { kind: "param", param: this.#braced(quoted), quoted };
    const name = this.#in.match(NAME) || this.#in.match(SPECIAL);
    if (name === "") return { kind: "text", text: "$", quoted };
    return { kind: "param", param: { name, op: "", colon: false, word: [] }, quoted };
  }

  #arithmetic(quoted: boolean): Part {
    this.#in.expect("((");
    const word: Part[] = [];
    for (let depth = 0; depth > 0 || !this.#in.startsWith("))");) {
      const next = this.#in.peek();
      if (next === "") throw syntaxError("unterminated arithmetic expansion", this.#in.line);
      if (next === "(") depth += 1;
      if (next === ")") depth -= 1;
      this.#part({ quoted: true, stop: "", rawQuotes: false }, word);
    }
    this.#in.expect("))");
    return { kind: "arithmetic", word, quoted };
  }

  #braced(quoted: boolean): Param {
    if (this.#in.peek() === "#" && this.#in.peek(1) !== "}") {
      const at = this.#in.at;
      this.#in.next();
      const name = this.#name();
      if (name !== "" && this.#in.accept("}")) return { name, op: "length", colon: false, word: [] };
      this.#in.at = at;
    }
    const name = this.#name();
    if (name === "") throw this.#badSubstitution();
    if (this.#in.accept("}")) return { name, op: "", colon: false, word: [] };
    const colon = this.#in.accept(":");
    const op = this.#operator(colon);
    const word = this.parts({ quoted: quoted && "-=?+".includes(op), stop: "}", rawQuotes: false });
    this.#in.expect("}");
    return { name, op, colon, word };
  }

  #name(): string {
    return this.#in.match(NAME) || this.#in.match(/[0-9]+/y) || this.#in.match(SPECIAL);
  }

  #operator(colon: boolean): Param["op"] {
    const op = this.#in.match(colon ? /[-=?+]/y : /%%|##|[-=?+%#]/y);
    if (op === "") throw this.#badSubstitution();
    return op as Param["op"];
  }

  #badSubstitution(): Error {
    return syntaxError("bad substitution", this.#in.line);
  }

  /** Old style: the text up to the next bare backquote, one level of backslashes removed, is a script. */
  #backquote(mode: Mode): Part {
    this.#in.next();
    let text = "";
    for (let next = this.#in.next(); next !== "`"; next = this.#in.next()) {
      if (next === "") throw syntaxError("unterminated backquote", this.#in.line);
      const unescapes = next === "\\" && `$\`\\${mode.quoted ? '"' : ""}`.includes(this.#in.peek());
      text += unescapes ? this.#in.next() : next;
    }
    return { kind: "command", body: this.#commands.whole(text), quoted: mode.quoted };
  }
}
