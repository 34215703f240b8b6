// test(1), also known as [: files, texts and numbers.
import { toByteString } from "@lapstrake/base";
import { resolvePath, type Attr } from "@lapstrake/layers";
import { joinPath } from "../process/programs.ts";
import type { ShellState } from "./state.ts";

const MISUSE = 2;

/** 0 when it holds, 1 when not, 2 when it is no test. */
export function testCommand(state: ShellState, args: readonly string[]): number {
  const answer = evaluate(state, args);
  if (answer !== undefined) return answer ? 0 : 1;
  state.complain(`test: not understood: ${args.join(" ")}`);
  return MISUSE;
}

function evaluate(state: ShellState, args: readonly string[]): boolean | undefined {
  if (args[0] === "!") {
    const inner = evaluate(state, args.slice(1));
    return inner === undefined ? undefined : !inner;
  }
  if (args.length === 0) return false;
  if (args.length === 1) return args[0] !== "";
  if (args.length === 2) return unary(state, args[0]!, args[1]!);
  return args.length === 3 ? binary(args[0]!, args[1]!, args[2]!) : undefined;
}

function unary(state: ShellState, op: string, value: string): boolean | undefined {
  if (op === "-z") return value === "";
  if (op === "-n") return value !== "";
  const attr = stat(state, value, op !== "-L" && op !== "-h");
  if (op === "-e" || op === "-r" || op === "-w" || op === "-x") return attr !== undefined;
  if (op === "-f") return attr?.type === "file";
  if (op === "-d") return attr?.type === "dir";
  if (op === "-L" || op === "-h") return attr?.type === "symlink";
  return op === "-s" ? (attr?.size ?? 0) > 0 : undefined;
}

function stat(state: ShellState, path: string, followLast: boolean): Attr | undefined {
  const found = resolvePath(state.fs, state.fs.root, toByteString(joinPath(state.cwd, path)), { followLast });
  return typeof found === "number" || found.ino === 0 ? undefined : state.fs.getattr(found.ino);
}

const NUMBERS: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  "-eq": (a, b) => a === b,
  "-ne": (a, b) => a !== b,
  "-lt": (a, b) => a < b,
  "-le": (a, b) => a <= b,
  "-gt": (a, b) => a > b,
  "-ge": (a, b) => a >= b,
};

function binary(left: string, op: string, right: string): boolean | undefined {
  if (op === "=") return left === right;
  if (op === "!=") return left !== right;
  const compare = NUMBERS[op];
  const [a, b] = [Number(left), Number(right)];
  return compare === undefined || Number.isNaN(a) || Number.isNaN(b) ? undefined : compare(a, b);
}
