// test and [: by the number of arguments first (XCU test, "-a", "-o" and parentheses for longer ones).
import type { ByteString } from "@lapstrake/base";
import type { Attr } from "@lapstrake/layers";
import { attributes } from "../paths.ts";
import type { Shell } from "../shell.ts";
import type { ShellState } from "../state.ts";
import { writeText } from "./output.ts";

/** A malformed expression: status 2. */
class TestError extends Error {}

type FileTest = (attr: Attr) => boolean;

const FILE_TESTS: Readonly<Record<string, FileTest>> = {
  "-e": () => true,
  "-f": ({ type }) => type === "file",
  "-d": ({ type }) => type === "dir",
  "-b": ({ type }) => type === "block",
  "-c": ({ type }) => type === "char",
  "-p": ({ type }) => type === "fifo",
  "-S": ({ type }) => type === "socket",
  "-s": ({ size }) => size > 0,
  // The guest is its image's root: everything can be read and written, and run with any x bit.
  "-r": () => true,
  "-w": () => true,
  "-x": ({ type, mode }) => type === "dir" || (mode & 0o111) !== 0,
  "-u": ({ mode }) => (mode & 0o4000) !== 0,
  "-g": ({ mode }) => (mode & 0o2000) !== 0,
  "-k": ({ mode }) => (mode & 0o1000) !== 0,
};

const COMPARE: Readonly<Record<string, (a: bigint, b: bigint) => boolean>> = {
  "-eq": (a, b) => a === b,
  "-ne": (a, b) => a !== b,
  "-lt": (a, b) => a < b,
  "-le": (a, b) => a <= b,
  "-gt": (a, b) => a > b,
  "-ge": (a, b) => a >= b,
};

const TEXT: Readonly<Record<string, (a: ByteString, b: ByteString) => boolean>> = {
  "=": (a, b) => a === b,
  "!=": (a, b) => a !== b,
  "<": (a, b) => a < b,
  ">": (a, b) => a > b,
};

/** `test expression` */
export function test(shell: Shell, args: readonly ByteString[]): number {
  try {
    return Number(!new Expression(shell.state, args).whole());
  } catch (error) {
    if (!(error instanceof TestError)) throw error;
    writeText(shell, 2, `${shell.state.name}: test: ${error.message}\n`);
    return 2;
  }
}

/** `[ expression ]` */
export function bracket(shell: Shell, args: readonly ByteString[]): number {
  if (args.at(-1) === "]") return test(shell, args.slice(0, -1));
  writeText(shell, 2, `${shell.state.name}: [: missing ]\n`);
  return 2;
}

class Expression {
  readonly #state: ShellState;
  readonly #args: readonly ByteString[];
  #at = 0;

  constructor(state: ShellState, args: readonly ByteString[]) {
    this.#state = state;
    this.#args = args;
  }

  whole(): boolean {
    if (this.#args.length === 0) return false;
    const value = this.#or();
    if (this.#at < this.#args.length) throw new TestError(`unexpected operator "${this.#args[this.#at]!}"`);
    return value;
  }

  get #left(): number {
    return this.#args.length - this.#at;
  }

  #next(): ByteString {
    const arg = this.#args[this.#at++];
    if (arg === undefined) throw new TestError("argument expected");
    return arg;
  }

  #or(): boolean {
    let value = this.#and();
    while (this.#args[this.#at] === "-o") {
      this.#at += 1;
      value = this.#and() || value;
    }
    return value;
  }

  #and(): boolean {
    let value = this.#not();
    while (this.#args[this.#at] === "-a" && this.#left > 1) {
      this.#at += 1;
      value = this.#not() && value;
    }
    return value;
  }

  #not(): boolean {
    if (this.#args[this.#at] !== "!" || this.#left === 1 || this.#isBinary()) return this.#primary();
    this.#at += 1;
    return !this.#not();
  }

  /** The next argument is the left side of a binary operator. */
  #isBinary(): boolean {
    const operator = this.#args[this.#at + 1] ?? "";
    return this.#left >= 3 && (operator in COMPARE || operator in TEXT || /^-(?:nt|ot|ef)$/.test(operator));
  }

  #primary(): boolean {
    if (this.#isBinary()) return this.#binary();
    const first = this.#next();
    if (first === "(" && this.#left > 0) return this.#group();
    if (this.#left > 0 && /^-[a-zA-Z]$/.test(first) && !this.#joins()) return this.#unary(first, this.#next());
    return first !== "";
  }

  /** "-a" or "-o" follows: the argument before it stands alone. */
  #joins(): boolean {
    return this.#left >= 2 && /^-[ao]$/.test(this.#args[this.#at]!);
  }

  #group(): boolean {
    const value = this.#or();
    if (this.#next() !== ")") throw new TestError('closing ")" expected');
    return value;
  }

  #unary(operator: ByteString, operand: ByteString): boolean {
    if (operator === "-n") return operand !== "";
    if (operator === "-z") return operand === "";
    if (operator === "-t") return this.#isTerminal(operand);
    const { fs, cwd } = this.#state;
    if (operator === "-h" || operator === "-L") return attributes(fs, cwd, operand, false)?.type === "symlink";
    const check = FILE_TESTS[operator];
    if (check === undefined) throw new TestError(`unknown operator "${operator}"`);
    const found = attributes(fs, cwd, operand);
    return found !== undefined && check(found);
  }

  #isTerminal(operand: ByteString): boolean {
    const object = this.#state.fds.get(Number(operand));
    return object?.kind === "stream" && (object.input ?? object.output)?.kind === "terminal";
  }

  #binary(): boolean {
    const left = this.#next();
    const operator = this.#next();
    const right = this.#next();
    const compare = COMPARE[operator];
    if (compare !== undefined) return compare(integer(left), integer(right));
    return TEXT[operator]?.(left, right) ?? this.#files(operator, left, right);
  }

  #files(operator: ByteString, left: ByteString, right: ByteString): boolean {
    const [a, b] = [left, right].map((path) => attributes(this.#state.fs, this.#state.cwd, path));
    if (operator === "-ef") return a !== undefined && a.ino === b?.ino;
    const older = (x: Attr | undefined, y: Attr | undefined): boolean =>
      y !== undefined &&
      (x === undefined || x.mtimeSec < y.mtimeSec || (x.mtimeSec === y.mtimeSec && x.mtimeNsec < y.mtimeNsec));
    return operator === "-nt" ? older(b, a) : older(a, b);
  }
}

function integer(text: ByteString): bigint {
  if (!/^\s*[-+]?\d+\s*$/.test(text)) throw new TestError(`illegal number "${text}"`);
  return BigInt(text.trim().replace(/^\+/, ""));
}
