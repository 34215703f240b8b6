// The tree of a shell script (POSIX.1-2017 XCU 2.9 and 2.10): what the parser makes and run.ts walks. All text is ByteStrings.
import type { ByteString } from "@lapstrake/base";

/** A piece of a word. `quoted` parts are neither split into fields nor matched as patterns. */
export type Part =
  | { readonly kind: "text"; readonly text: ByteString; readonly quoted: boolean }
  | { readonly kind: "tilde" }
  | { readonly kind: "param"; readonly param: Param; readonly quoted: boolean }
  | { readonly kind: "command"; readonly body: Command; readonly quoted: boolean }
  | { readonly kind: "arithmetic"; readonly word: Word; readonly quoted: boolean };

export type Word = readonly Part[];

/** `${name op word}`; "length" is `${#name}`. A colon makes empty values count as unset. */
export interface Param {
  readonly name: string;
  readonly op: "" | "length" | "-" | "=" | "?" | "+" | "%" | "%%" | "#" | "##";
  readonly colon: boolean;
  readonly word: Word;
}

/** One redirection; for "heredoc" the word is the text, for "dup" it is a descriptor number or "-". */
export interface Redirect {
  readonly fd: number;
  readonly kind: "read" | "write" | "append" | "readWrite" | "dup" | "heredoc";
  /** A here-document's body is filled in when its lines are read. */
  word: Word;
}

export interface Assignment {
  readonly name: string;
  readonly word: Word;
}

export interface SimpleCommand {
  readonly kind: "simple";
  readonly assignments: readonly Assignment[];
  readonly words: readonly Word[];
  readonly redirects: readonly Redirect[];
}

export interface CaseArm {
  readonly patterns: readonly Word[];
  readonly body: Command;
}

/** A command without the redirections that stand after it. */
export type Compound =
  | { readonly kind: "subshell"; readonly body: Command }
  | { readonly kind: "group"; readonly body: Command }
  | { readonly kind: "if"; readonly test: Command; readonly body: Command; readonly otherwise: Command | undefined }
  | { readonly kind: "while"; readonly test: Command; readonly body: Command; readonly until: boolean }
  | { readonly kind: "for"; readonly name: string; readonly words: readonly Word[] | undefined; readonly body: Command }
  | { readonly kind: "case"; readonly word: Word; readonly arms: readonly CaseArm[] };

export type Command =
  | SimpleCommand
  | { readonly kind: "redirected"; readonly body: Compound; readonly redirects: readonly Redirect[] }
  | { readonly kind: "pipeline"; readonly commands: readonly Command[]; readonly negate: boolean }
  | { readonly kind: "and" | "or"; readonly left: Command; readonly right: Command }
  | { readonly kind: "list"; readonly commands: readonly Command[] }
  | { readonly kind: "function"; readonly name: string; readonly body: Command };
