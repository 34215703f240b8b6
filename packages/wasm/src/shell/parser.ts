// Script text to a tree of commands: the shell grammar (XCU 2.10), by recursive descent.
import type { ByteString } from "@lapstrake/base";
import type { Assignment, CaseArm, Command, Compound, Part, Redirect, Word } from "./ast.ts";
import { Reader, syntaxError } from "./reader.ts";
import { readHereText, readWord, type CommandParser } from "./words.ts";

const BLANKS = /(?:[ \t]|\\\n)+/y;
const COMMENT = /#[^\n]*/y;
const ASSIGNMENT = /^([A-Za-z_][A-Za-z0-9_]*)=/;
const RESERVED = /(?:if|then|elif|else|fi|do|done|case|esac|while|until|for|in|\{|\}|!)(?=[\s;&|<>()]|$)/y;
const FUNCTION = /([A-Za-z_][A-Za-z0-9_]*)[ \t]*\([ \t]*\)/y;
const REDIRECT = /(\d*)(<<-|<<|>>|<&|>&|<>|>\||<|>)/y;
const STOPS: ReadonlySet<string> = new Set(["then", "elif", "else", "fi", "do", "done", "esac", "}"]);
const KINDS: Readonly<Record<string, Redirect["kind"]>> = {
  "<": "read",
  ">": "write",
  ">|": "write",
  ">>": "append",
  "<>": "readWrite",
  "<&": "dup",
  ">&": "dup",
};

interface PendingHere {
  readonly redirect: Redirect;
  readonly delimiter: ByteString;
  readonly literal: boolean;
  readonly stripTabs: boolean;
}

/** Parses a whole script. Throws ERR_LAP_SHELL_SYNTAX. */
export function parseScript(source: ByteString): Command {
  return new Parser(new Reader(source)).script();
}

/** The commands of a script, line by line: each is parsed when it is asked for, so those before an error still run. */
export function* scriptCommands(source: ByteString): Generator<Command> {
  yield* new Parser(new Reader(source)).lines();
}

class Parser implements CommandParser {
  readonly #in: Reader;
  readonly #pending: PendingHere[] = [];

  constructor(reader: Reader) {
    this.#in = reader;
  }

  *lines(): Generator<Command> {
    for (this.#lines(); !this.#in.done; this.#lines()) {
      const line = this.#list(true);
      if (!this.#in.done && this.#in.peek() !== "\n") throw this.#in.unexpected();
      this.#in.accept("\n");
      this.#readHeres();
      yield line;
    }
  }

  script(): Command {
    const list = this.#list();
    if (!this.#in.done) throw this.#in.unexpected();
    this.#readHeres();
    return list;
  }

  untilParen(reader: Reader): Command {
    const inner = new Parser(reader);
    const list = inner.#list();
    reader.expect(")");
    return list;
  }

  whole(source: ByteString): Command {
    return parseScript(source);
  }

  #blanks(): void {
    this.#in.match(BLANKS);
    this.#in.match(COMMENT);
  }

  /** Blanks and newlines; a newline is where waiting here-documents are read. */
  #lines(): void {
    for (this.#blanks(); this.#in.accept("\n"); this.#blanks()) this.#readHeres();
  }

  /** Commands up to what ends a list, or up to the end of the line. */
  #list(oneLine = false): Command {
    const commands: Command[] = [];
    const skip = (): void => (oneLine ? this.#blanks() : this.#lines());
    for (skip(); !this.#atListEnd() && !(oneLine && this.#in.peek() === "\n"); skip()) {
      commands.push(this.#andOr());
      this.#blanks();
      this.#refuseBackground();
      if (this.#in.startsWith(";;")) break;
      if (!this.#in.accept(";") && this.#in.peek() !== "\n") break;
    }
    return commands.length === 1 ? commands[0]! : { kind: "list", commands };
  }

  #refuseBackground(): void {
    if (this.#in.peek() !== "&" || this.#in.peek(1) === "&") return;
    throw syntaxError('background jobs ("&") are not supported', this.#in.line);
  }

  #atListEnd(): boolean {
    const next = this.#in.peek();
    return next === "" || next === ")" || this.#in.startsWith(";;") || STOPS.has(this.#peekReserved());
  }

  #peekReserved(): string {
    const { at } = this.#in;
    const word = this.#in.match(RESERVED);
    this.#in.at = at;
    return word;
  }

  #andOr(): Command {
    let left = this.#pipeline();
    for (;;) {
      this.#blanks();
      const kind = this.#in.accept("&&") ? "and" : this.#in.accept("||") ? "or" : undefined;
      if (kind === undefined) return left;
      this.#lines();
      left = { kind, left, right: this.#pipeline() };
    }
  }

  #pipeline(): Command {
    const negate = this.#acceptReserved("!");
    const commands = [this.#command()];
    for (this.#blanks(); this.#in.peek() === "|" && this.#in.peek(1) !== "|"; this.#blanks()) {
      this.#in.next();
      this.#lines();
      commands.push(this.#command());
    }
    return commands.length === 1 && !negate ? commands[0]! : { kind: "pipeline", commands, negate };
  }

  #acceptReserved(word: string): boolean {
    this.#blanks();
    if (this.#peekReserved() !== word) return false;
    this.#in.expect(word);
    return true;
  }

  #expectReserved(word: string): void {
    this.#lines();
    if (!this.#acceptReserved(word)) throw this.#in.unexpected(`"${word}"`);
  }

  #command(): Command {
    this.#blanks();
    const body = this.#compound();
    if (body === undefined) return this.#function() ?? this.#simple();
    const redirects: Redirect[] = [];
    for (let found = this.#redirect(); found !== undefined; found = this.#redirect()) redirects.push(found);
    return { kind: "redirected", body, redirects };
  }

  #compound(): Compound | undefined {
    if (this.#in.accept("(")) {
      const body = this.#list();
      this.#in.expect(")");
      return { kind: "subshell", body };
    }
    const word = this.#peekReserved();
    if (STOPS.has(word) || word === "in" || word === "!") throw this.#in.unexpected();
    if (word === "") return undefined;
    this.#in.expect(word);
    if (word === "{") return { kind: "group", body: this.#closed("}") };
    if (word === "if") return this.#if();
    if (word === "for") return this.#for();
    if (word === "case") return this.#case();
    const test = this.#closed("do");
    return { kind: "while", test, body: this.#closed("done"), until: word === "until" };
  }

  /** A list and the reserved word that ends it. */
  #closed(word: string): Command {
    const list = this.#list();
    if (list.kind === "list" && list.commands.length === 0) throw this.#in.unexpected();
    this.#expectReserved(word);
    return list;
  }

  #if(): Compound {
    const test = this.#closed("then");
    const body = this.#list();
    this.#lines();
    if (this.#acceptReserved("elif")) {
      return { kind: "if", test, body, otherwise: { kind: "redirected", body: this.#if(), redirects: [] } };
    }
    const otherwise = this.#acceptReserved("else") ? this.#list() : undefined;
    this.#expectReserved("fi");
    return { kind: "if", test, body, otherwise };
  }

  #for(): Compound {
    this.#blanks();
    const name = this.#in.match(/[A-Za-z_][A-Za-z0-9_]*/y);
    if (name === "") throw syntaxError("bad for loop variable", this.#in.line);
    this.#lines();
    let words: Word[] | undefined;
    if (this.#acceptReserved("in")) {
      words = [];
      for (let word = this.#word(); word !== undefined; word = this.#word()) words.push(word);
    }
    this.#blanks();
    this.#in.accept(";");
    this.#expectReserved("do");
    return { kind: "for", name, words, body: this.#closed("done") };
  }

  #case(): Compound {
    const word = this.#word();
    if (word === undefined) throw this.#in.unexpected("a word");
    this.#expectReserved("in");
    const arms: CaseArm[] = [];
    for (this.#lines(); this.#peekReserved() !== "esac"; this.#lines()) {
      arms.push(this.#arm());
      this.#lines();
      if (!this.#in.accept(";;")) break;
    }
    this.#expectReserved("esac");
    return { kind: "case", word, arms };
  }

  #arm(): CaseArm {
    this.#in.accept("(");
    const patterns: Word[] = [];
    do {
      const pattern = this.#word();
      if (pattern === undefined) throw this.#in.unexpected("a pattern");
      patterns.push(pattern);
      this.#blanks();
    } while (this.#in.accept("|"));
    this.#in.expect(")");
    return { patterns, body: this.#list() };
  }

  #word(): Word | undefined {
    this.#blanks();
    return readWord(this.#in, this);
  }

  #function(): Command | undefined {
    const { at } = this.#in;
    const head = this.#in.match(FUNCTION);
    if (head === "") return undefined;
    const name = /^\w+/.exec(head)![0];
    this.#lines();
    if (this.#in.done) this.#in.at = at;
    return { kind: "function", name, body: this.#command() };
  }

  #simple(): Command {
    const assignments: Assignment[] = [];
    const words: Word[] = [];
    const redirects: Redirect[] = [];
    for (;;) {
      this.#blanks();
      const redirect = this.#redirect();
      if (redirect !== undefined) {
        redirects.push(redirect);
        continue;
      }
      const word = this.#word();
      if (word === undefined) break;
      const assignment = words.length === 0 ? asAssignment(word) : undefined;
      if (assignment === undefined) words.push(word);
      else assignments.push(assignment);
    }
    if (assignments.length + words.length + redirects.length === 0) throw this.#in.unexpected();
    return { kind: "simple", assignments, words, redirects };
  }

  #redirect(): Redirect | undefined {
    this.#blanks();
    const found = this.#in.match(REDIRECT);
    if (found === "") return undefined;
    const [, digits = "", operator = ""] = /^(\d*)(.*)$/.exec(found)!;
    const fd = digits === "" ? (operator.startsWith("<") ? 0 : 1) : Number(digits);
    const word = this.#word();
    if (word === undefined) throw this.#in.unexpected("a word");
    const kind = KINDS[operator];
    if (kind !== undefined) return { fd, kind, word };
    return this.#here({ fd, kind: "heredoc", word: [] }, word, operator === "<<-");
  }

  #here(redirect: Redirect, word: Word, stripTabs: boolean): Redirect {
    const delimiter = word.map((part) => (part.kind === "text" ? part.text : "")).join("");
    const literal = word.some((part) => part.kind === "text" && part.quoted);
    this.#pending.push({ redirect, delimiter, literal, stripTabs });
    return redirect;
  }

  #readHeres(): void {
    for (const here of this.#pending.splice(0)) {
      const text = this.#hereLines(here);
      here.redirect.word = here.literal ? [{ kind: "text", text, quoted: true }] : readHereText(text, this);
    }
  }

  #hereLines({ delimiter, stripTabs }: PendingHere): ByteString {
    let text = "";
    while (!this.#in.done) {
      const raw = this.#in.match(/[^\n]*/y);
      const ended = !this.#in.accept("\n");
      const line = stripTabs ? raw.replace(/^\t+/, "") : raw;
      if (line === delimiter) return text;
      text += ended ? line : `${line}\n`;
    }
    return text;
  }
}

/** `name=word` when the word starts so, unquoted. */
function asAssignment(word: Word): Assignment | undefined {
  const first = word[0];
  if (first?.kind !== "text" || first.quoted) return undefined;
  const name = ASSIGNMENT.exec(first.text)?.[1];
  if (name === undefined) return undefined;
  const rest = first.text.slice(name.length + 1);
  const head = assignedText(rest, word.length === 1);
  return { name, word: [...head, ...word.slice(1)] };
}

/** A tilde counts after the "=" too. */
function assignedText(rest: ByteString, alone: boolean): Part[] {
  const tilde = rest.startsWith("~/") || (rest === "~" && alone);
  const text = tilde ? rest.slice(1) : rest;
  const parts: Part[] = text === "" ? [] : [{ kind: "text", text, quoted: false }];
  return tilde ? [{ kind: "tilde" }, ...parts] : parts;
}
