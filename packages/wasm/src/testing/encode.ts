// Modules for tests, written by hand in bytes: one function _start with a given body, and a memory.
import { writeU32 } from "../binary/leb.ts";

/** Section `id` with `content`. */
function section(id: number, content: readonly number[]): number[] {
  return [id, ...writeU32(content.length), ...content];
}

const text = (value: string): number[] => [...writeU32(value.length), ...[...value].map((unit) => unit.charCodeAt(0))];

const I32 = 0x7f;
const I64 = 0x7e;

/** One imported function: parameters as "i" (i32) and "I" (i64). */
export interface TestImport {
  readonly module?: string;
  readonly name: string;
  readonly parameters: string;
  readonly result?: boolean;
}

/** A command whose `_start` (or `entry`) runs `body` (without the final `end`); imports are functions 0, 1, … */
export function command(
  body: readonly number[],
  imports: readonly TestImport[] = [],
  options: { readonly pages?: number; readonly entry?: string } = {},
): Uint8Array<ArrayBuffer> {
  const types = imports.map(({ parameters, result = true }) => [
    0x60,
    ...writeU32(parameters.length),
    ...[...parameters].map((letter) => (letter === "I" ? I64 : I32)),
    ...(result ? [1, I32] : [0]),
  ]);
  const code = [0, ...body, 0x0b];
  return new Uint8Array([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [...writeU32(types.length + 1), ...types.flat(), 0x60, 0, 0]),
    ...section(2, [
      ...writeU32(imports.length),
      ...imports.flatMap(({ module = "wasi_snapshot_preview1", name }, index) => [
        ...text(module),
        ...text(name),
        0,
        index,
      ]),
    ]),
    ...section(3, [1, types.length]),
    ...section(5, [1, 0, ...writeU32(options.pages ?? 1)]),
    ...section(7, [2, ...text(options.entry ?? "_start"), 0, ...writeU32(imports.length), ...text("memory"), 2, 0]),
    ...section(10, [1, ...writeU32(code.length), ...code]),
  ]);
}

/** i32.const with a value of -64..63. */
export const i32 = (value: number): number[] => [0x41, value & 0x7f];
export const CALL = 0x10;
export const DROP = 0x1a;
export const UNREACHABLE = 0x00;
/** loop; br 0; end */
export const SPIN: readonly number[] = [0x03, 0x40, 0x0c, 0, 0x0b];
