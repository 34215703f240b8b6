// Arithmetic expansion (XCU 2.6.4): C expressions over signed 64-bit integers, with assignment to variables.
import { LapError } from "@lapstrake/base";

/** Reads and sets the variables an expression names. */
export interface ArithmeticScope {
  get(name: string): string;
  set(name: string, value: string): void;
}

/** The value of an expression; ERR_LAP_SHELL_ARITHMETIC when it is none. */
export function evaluate(source: string, scope: ArithmeticScope): bigint {
  const tokens = source.match(TOKEN) ?? [];
  const parser = new Expression(tokens, scope);
  return tokens.length === 0 ? 0n : parser.all();
}

const TOKEN =
  /0[xX][0-9a-fA-F]+|\d+|[A-Za-z_]\w*|<<=|>>=|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&|^]=|[-+*/%&|^~!<>=?:(),]|\S/g;

const LEVELS: readonly (readonly string[])[] = [
  ["||"],
  ["&&"],
  ["|"],
  ["^"],
  ["&"],
  ["==", "!="],
  ["<", "<=", ">", ">="],
  ["<<", ">>"],
  ["+", "-"],
  ["*", "/", "%"],
];

const truth = (value: boolean): bigint => (value ? 1n : 0n);

const BINARY: Readonly<Record<string, (a: bigint, b: bigint) => bigint>> = {
  "|": (a, b) => a | b,
  "^": (a, b) => a ^ b,
  "&": (a, b) => a & b,
  "==": (a, b) => truth(a === b),
  "!=": (a, b) => truth(a !== b),
  "<": (a, b) => truth(a < b),
  "<=": (a, b) => truth(a <= b),
  ">": (a, b) => truth(a > b),
  ">=": (a, b) => truth(a >= b),
  "<<": (a, b) => a << (b & 63n),
  ">>": (a, b) => a >> (b & 63n),
  "+": (a, b) => a + b,
  "-": (a, b) => a - b,
  "*": (a, b) => a * b,
  "/": (a, b) => a / nonZero(b),
  "%": (a, b) => a % nonZero(b),
};

function nonZero(value: bigint): bigint {
  if (value === 0n) throw arithmeticError("division by zero");
  return value;
}

function arithmeticError(message: string): LapError {
  return new LapError("invalidArgument", "ERR_LAP_SHELL_ARITHMETIC", `arithmetic expression: ${message}`);
}

class Expression {
  readonly #tokens: readonly string[];
  readonly #scope: ArithmeticScope;
  #at = 0;
  /** False inside a branch that is only parsed: nothing is set or divided there. */
  #live = true;

  constructor(tokens: readonly string[], scope: ArithmeticScope) {
    this.#tokens = tokens;
    this.#scope = scope;
  }

  all(): bigint {
    const value = this.#assignment();
    if (this.#at < this.#tokens.length) throw arithmeticError(`unexpected "${this.#tokens[this.#at]}"`);
    return value;
  }

  #peek(): string {
    return this.#tokens[this.#at] ?? "";
  }

  #accept(token: string): boolean {
    if (this.#peek() !== token) return false;
    this.#at += 1;
    return true;
  }

  #assignment(): bigint {
    const name = this.#peek();
    const operator = this.#tokens[this.#at + 1] ?? "";
    if (!/^[A-Za-z_]/.test(name) || !/^(?:[-+*/%&|^]|<<|>>)?=$/.test(operator)) return this.#ternary();
    this.#at += 2;
    const right = this.#assignment();
    const value = operator === "=" ? right : this.#apply(operator.slice(0, -1), this.#variable(name), right);
    if (this.#live) this.#scope.set(name, String(value));
    return value;
  }

  #apply(operator: string, left: bigint, right: bigint): bigint {
    return this.#live ? BigInt.asIntN(64, BINARY[operator]!(left, right)) : 0n;
  }

  #ternary(): bigint {
    const test = this.#binary(0);
    if (!this.#accept("?")) return test;
    const yes = this.#branch(test !== 0n, () => this.#assignment());
    if (!this.#accept(":")) throw arithmeticError('expecting ":"');
    const no = this.#branch(test === 0n, () => this.#ternary());
    return test === 0n ? no : yes;
  }

  #branch(taken: boolean, parse: () => bigint): bigint {
    const before = this.#live;
    this.#live = before && taken;
    const value = parse();
    this.#live = before;
    return value;
  }

  #binary(level: number): bigint {
    const operators = LEVELS[level];
    if (operators === undefined) return this.#unary();
    let left = this.#binary(level + 1);
    while (operators.includes(this.#peek())) {
      const operator = this.#tokens[this.#at++]!;
      left = this.#combine(operator, left, level + 1);
    }
    return left;
  }

  #combine(operator: string, left: bigint, level: number): bigint {
    if (operator === "||") return truth(this.#branch(left === 0n, () => this.#binary(level)) !== 0n || left !== 0n);
    if (operator === "&&") return truth(this.#branch(left !== 0n, () => this.#binary(level)) !== 0n && left !== 0n);
    return this.#apply(operator, left, this.#binary(level));
  }

  #unary(): bigint {
    if (this.#accept("-")) return BigInt.asIntN(64, -this.#unary());
    if (this.#accept("+")) return this.#unary();
    if (this.#accept("~")) return ~this.#unary();
    if (this.#accept("!")) return truth(this.#unary() === 0n);
    return this.#primary();
  }

  #primary(): bigint {
    if (this.#accept("(")) {
      const value = this.#assignment();
      if (!this.#accept(")")) throw arithmeticError('expecting ")"');
      return value;
    }
    const token = this.#tokens[this.#at++];
    if (token === undefined) throw arithmeticError("expecting a value");
    return /^[A-Za-z_]/.test(token) ? this.#variable(token) : number(token);
  }

  #variable(name: string): bigint {
    const text = this.#scope.get(name).trim();
    if (text === "") return 0n;
    return text.startsWith("-") ? -number(text.slice(1)) : number(text.replace(/^\+/, ""));
  }
}

function number(text: string): bigint {
  if (/^0[xX][0-9a-fA-F]+$/.test(text)) return BigInt.asIntN(64, BigInt(text));
  if (/^0[0-7]+$/.test(text)) return BigInt.asIntN(64, BigInt(`0o${text.slice(1)}`));
  if (/^(?:0|[1-9]\d*)$/.test(text)) return BigInt.asIntN(64, BigInt(text));
  throw arithmeticError(`not a number: "${text}"`);
}
