// The tree of a shell program (POSIX.1-2017, Shell Command Language 2.9, without functions, case, background and arithmetic).

/** Piece of a word. Unquoted expansions are split into fields, unquoted text may be a pattern. */
export type Part =
  | { readonly kind: "text"; readonly text: string; readonly quoted: boolean }
  | { readonly kind: "param"; readonly name: string; readonly modifier?: Modifier; readonly quoted: boolean }
  | { readonly kind: "command"; readonly list: List; readonly quoted: boolean };

/** `${name OP word}`. */
export interface Modifier {
  readonly op: string;
  readonly word: Word;
}

export type Word = readonly Part[];

/** `[fd]op target`; a here-document's text is the target. */
export interface Redirect {
  readonly fd: number;
  readonly op: "<" | ">" | ">>" | "<&" | ">&" | "<<";
  readonly target: Word;
}

export type Command =
  | {
      readonly kind: "simple";
      readonly assignments: readonly { readonly name: string; readonly value: Word }[];
      readonly words: readonly Word[];
      readonly redirects: readonly Redirect[];
    }
  | { readonly kind: "group" | "subshell"; readonly list: List; readonly redirects: readonly Redirect[] }
  | {
      readonly kind: "if";
      readonly branches: readonly { readonly condition: List; readonly body: List }[];
      readonly otherwise: List | undefined;
      readonly redirects: readonly Redirect[];
    }
  | {
      readonly kind: "while";
      readonly until: boolean;
      readonly condition: List;
      readonly body: List;
      readonly redirects: readonly Redirect[];
    }
  | {
      readonly kind: "for";
      readonly name: string;
      /** Absent: the positional parameters. */
      readonly words: readonly Word[] | undefined;
      readonly body: List;
      readonly redirects: readonly Redirect[];
    };

export interface Pipeline {
  readonly negated: boolean;
  readonly commands: readonly Command[];
}

/** A pipeline and how it depends on the status before it. */
export interface Step {
  readonly when: "always" | "success" | "failure";
  readonly pipeline: Pipeline;
}

export type List = readonly Step[];

/** What the shell cannot read; the message goes to stderr, the status is 2. */
export class ShellSyntaxError extends Error {}
