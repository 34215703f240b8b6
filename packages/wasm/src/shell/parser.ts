// Reading commands: lists, pipelines, compound commands, redirections (POSIX Shell Command Language 2.9, 2.10).
import {
  ShellSyntaxError,
  type Command,
  type List,
  type Part,
  type Pipeline,
  type Redirect,
  type Step,
  type Word,
} from "./syntax.ts";
import { readQuoted, readWord, type Cursor } from "./words.ts";

const ASSIGNMENT = /^[A-Za-z_][A-Za-z0-9_]*=/;
const REDIRECT = /([0-9]?)(<<-?|<&|>&|>>|>\||<|>)/y;
const RESERVED: ReadonlySet<string> = new Set(["then", "else", "elif", "fi", "do", "done", "}"]);

/** The commands of a program; throws {@link ShellSyntaxError}. */
export function parseScript(text: string): List {
  const parser = new Parser({ text, at: 0 });
  const list = parser.list();
  parser.expectEnd();
  return list;
}

class Parser {
  readonly #cursor: Cursor;
  /** Here-documents announced on this line: their text starts after it. */
  #pending: { readonly end: string; readonly strip: boolean; readonly plain: boolean; fill: (text: Word) => void }[] =
    [];

  constructor(cursor: Cursor) {
    this.#cursor = cursor;
  }

  get #rest(): string {
    return this.#cursor.text.slice(this.#cursor.at, this.#cursor.at + 8);
  }

  expectEnd(): void {
    this.#space(true);
    if (this.#cursor.at < this.#cursor.text.length) throw unexpected(this.#rest[0]!);
  }

  /** Blanks, comments and continued lines; with `lines`, newlines too. */
  #space(lines: boolean): void {
    const cursor = this.#cursor;
    for (;;) {
      const letter = cursor.text[cursor.at];
      if (letter === " " || letter === "\t") cursor.at += 1;
      else if (cursor.text.startsWith("\\\n", cursor.at)) cursor.at += 2;
      else if (letter === "#") while (cursor.at < cursor.text.length && cursor.text[cursor.at] !== "\n") cursor.at += 1;
      else if (letter === "\n" && lines) this.#newline();
      else return;
    }
  }

  #newline(): void {
    this.#cursor.at += 1;
    for (const document of this.#pending.splice(0)) this.#readDocument(document);
  }

  #take(operator: string): boolean {
    this.#space(false);
    if (!this.#cursor.text.startsWith(operator, this.#cursor.at)) return false;
    this.#cursor.at += operator.length;
    return true;
  }

  list(): List {
    const steps: Step[] = [];
    let when: Step["when"] = "always";
    for (;;) {
      this.#space(true);
      if (this.#ends()) return steps;
      steps.push({ when, pipeline: this.#pipeline() });
      this.#space(false);
      if (this.#take("&&")) when = "success";
      else if (this.#take("||")) when = "failure";
      else if (this.#take(";")) when = "always";
      else if (this.#rest.startsWith("&")) throw new ShellSyntaxError("background commands (&) are not supported");
      else if (this.#rest.startsWith("\n") || this.#ends()) when = "always";
      else throw unexpected(this.#rest[0]!);
    }
  }

  #ends(): boolean {
    if (this.#rest === "" || this.#rest.startsWith(")")) return true;
    return RESERVED.has(this.#keyword());
  }

  /** The bare word at the cursor, if it is only letters or a brace. */
  #keyword(): string {
    return (
      /^(?:[a-z]+|[{}!])(?=[\s;&|<>()]|$)/.exec(this.#cursor.text.slice(this.#cursor.at, this.#cursor.at + 16))?.[0] ??
      ""
    );
  }

  #accept(word: string): boolean {
    this.#space(true);
    if (this.#keyword() !== word) return false;
    this.#cursor.at += word.length;
    return true;
  }

  #expect(word: string): void {
    if (!this.#accept(word)) throw new ShellSyntaxError(`expected "${word}"`);
  }

  #pipeline(): Pipeline {
    const negated = this.#keyword() === "!" && this.#accept("!");
    const commands = [this.#command()];
    while (!this.#rest.startsWith("||") && this.#take("|")) {
      this.#space(true);
      commands.push(this.#command());
      this.#space(false);
    }
    return { negated, commands };
  }

  #command(): Command {
    this.#space(false);
    const word = this.#keyword();
    if (word === "if") return this.#if();
    if (word === "while" || word === "until") return this.#while(word);
    if (word === "for") return this.#for();
    if (word === "case" || word === "function") throw new ShellSyntaxError(`"${word}" is not supported`);
    if (word === "{") return this.#group();
    if (this.#take("(")) {
      const list = this.list();
      if (!this.#take(")")) throw new ShellSyntaxError('expected ")"');
      return { kind: "subshell", list, redirects: this.#redirects() };
    }
    return this.#simple();
  }

  #group(): Command {
    this.#expect("{");
    const list = this.list();
    this.#expect("}");
    return { kind: "group", list, redirects: this.#redirects() };
  }

  #if(): Command {
    this.#expect("if");
    const branches = [this.#branch()];
    while (this.#accept("elif")) branches.push(this.#branch());
    const otherwise = this.#accept("else") ? this.list() : undefined;
    this.#expect("fi");
    return { kind: "if", branches, otherwise, redirects: this.#redirects() };
  }

  #branch(): { condition: List; body: List } {
    const condition = this.list();
    this.#expect("then");
    return { condition, body: this.list() };
  }

  #while(word: string): Command {
    this.#expect(word);
    const condition = this.list();
    const body = this.#body();
    return { kind: "while", until: word === "until", condition, body, redirects: this.#redirects() };
  }

  #for(): Command {
    this.#expect("for");
    this.#space(false);
    const name = literal(this.#word() ?? []);
    const words = this.#accept("in") ? this.#words() : undefined;
    this.#take(";");
    const body = this.#body();
    return { kind: "for", name, words, body, redirects: this.#redirects() };
  }

  #body(): List {
    this.#expect("do");
    const body = this.list();
    this.#expect("done");
    return body;
  }

  #word(): Word | undefined {
    this.#space(false);
    return readWord(this.#cursor, (cursor) => new Parser(cursor).list());
  }

  #words(): Word[] {
    const words: Word[] = [];
    for (let word = this.#word(); word !== undefined; word = this.#word()) words.push(word);
    return words;
  }

  #simple(): Command {
    const assignments: { name: string; value: Word }[] = [];
    const words: Word[] = [];
    const redirects: Redirect[] = [];
    for (;;) {
      const redirect = this.#redirect();
      if (redirect !== undefined) {
        redirects.push(redirect);
        continue;
      }
      const word = this.#word();
      if (word === undefined) break;
      const assigned = words.length === 0 ? assignment(word) : undefined;
      if (assigned === undefined) words.push(word);
      else assignments.push(assigned);
    }
    if (words.length + assignments.length + redirects.length === 0) throw unexpected(this.#rest[0] ?? "end of text");
    return { kind: "simple", assignments, words, redirects };
  }

  #redirects(): Redirect[] {
    const out: Redirect[] = [];
    for (let one = this.#redirect(); one !== undefined; one = this.#redirect()) out.push(one);
    return out;
  }

  #redirect(): Redirect | undefined {
    this.#space(false);
    REDIRECT.lastIndex = this.#cursor.at;
    const found = REDIRECT.exec(this.#cursor.text);
    if (found === null) return undefined;
    this.#cursor.at += found[0].length;
    const op = found[2]!;
    const fd = found[1] === "" ? (op.startsWith("<") ? 0 : 1) : Number(found[1]);
    const target = this.#word();
    if (target === undefined) throw new ShellSyntaxError("a redirection needs a target");
    if (op.startsWith("<<")) return this.#document(fd, target, op === "<<-");
    return { fd, op: (op === ">|" ? ">" : op) as Redirect["op"], target };
  }

  #document(fd: number, end: Word, strip: boolean): Redirect {
    const redirect: { fd: number; op: "<<"; target: Word } = { fd, op: "<<", target: [] };
    const plain = end.some((part) => part.quoted);
    this.#pending.push({ end: literal(end), strip, plain, fill: (text) => (redirect.target = text) });
    return redirect;
  }

  #readDocument(document: Parser["#pending"][number]): void {
    const { text } = this.#cursor;
    let body = "";
    for (;;) {
      const stop = text.indexOf("\n", this.#cursor.at);
      const raw = text.slice(this.#cursor.at, stop < 0 ? text.length : stop);
      const line = document.strip ? raw.replace(/^\t+/, "") : raw;
      this.#cursor.at = stop < 0 ? text.length : stop + 1;
      if (line === document.end || (stop < 0 && raw === "")) break;
      body += `${line}\n`;
      if (stop < 0) break;
    }
    document.fill(document.plain ? [{ kind: "text", text: body, quoted: true }] : expandable(body));
  }
}

function expandable(body: string): Word {
  return readQuoted({ text: body, at: 0 }, (cursor) => new Parser(cursor).list(), "");
}

/** A word as it is written, without expansions. */
function literal(word: Word): string {
  return word.map((part) => (part.kind === "text" ? part.text : "")).join("");
}

function assignment(word: Word): { name: string; value: Word } | undefined {
  const first = word[0];
  if (first?.kind !== "text" || first.quoted) return undefined;
  const found = ASSIGNMENT.exec(first.text)?.[0];
  if (found === undefined) return undefined;
  const rest: Part = { ...first, text: first.text.slice(found.length) };
  return { name: found.slice(0, -1), value: [rest, ...word.slice(1)] };
}

function unexpected(what: string): ShellSyntaxError {
  return new ShellSyntaxError(`unexpected ${JSON.stringify(what)}`);
}
