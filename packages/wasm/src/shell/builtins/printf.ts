// printf: the format is used again as long as arguments are left. Numbers are 64-bit integers.
import { toByteString, type ByteString } from "@lapstrake/base";
import type { Shell } from "../shell.ts";
import { shellError } from "../state.ts";
import { unescape, unescapeFormat } from "./escapes.ts";
import { writeText } from "./output.ts";

const DIRECTIVE = /%([-+ 0#]*)(\*|\d*)(?:\.(\*|\d*))?([a-zA-Z%])|\\(?:[0-7]{1,3}|.)|[^%\\]+|[%\\]/gs;

interface Run {
  readonly args: ByteString[];
  failed: string | undefined;
  stop: boolean;
}

/** `printf format [argument…]` */
export function printf(shell: Shell, args: readonly ByteString[]): number {
  const [format, ...rest] = args[0] === "--" ? args.slice(1) : args;
  if (format === undefined) throw shellError("printf: usage: printf format [argument ...]");
  const run: Run = { args: rest, failed: undefined, stop: false };
  let out = "";
  do {
    const before = run.args.length;
    out += once(format, run);
    if (run.args.length === before) break;
  } while (run.args.length > 0 && !run.stop);
  writeText(shell, 1, out);
  if (run.failed === undefined) return 0;
  shell.complain(`printf: ${run.failed}`);
  return 1;
}

function once(format: ByteString, run: Run): ByteString {
  let out = "";
  for (const found of format.matchAll(DIRECTIVE)) {
    if (run.stop) break;
    const [whole, flags = "", width = "", precision, conversion] = found;
    if (conversion === undefined) out += unescapeFormat(whole);
    else if (conversion === "%") out += "%";
    else
      out += directive(
        run,
        flags,
        star(run, width),
        precision === undefined ? undefined : star(run, precision),
        conversion,
      );
  }
  return out;
}

/** A width or precision; "*" takes an argument. */
function star(run: Run, text: string): number {
  return Number(text === "*" ? (run.args.shift() ?? "0") : text);
}

function directive(
  run: Run,
  flags: string,
  width: number,
  precision: number | undefined,
  conversion: string,
): ByteString {
  const arg = run.args.shift();
  const text = convert(run, arg, flags, precision, conversion);
  const left = flags.includes("-") || width < 0;
  const zero =
    flags.includes("0") &&
    !left &&
    (precision === undefined || "feg".includes(conversion)) &&
    !"scb".includes(conversion);
  return pad(text, Math.abs(width), left, zero);
}

function pad(text: ByteString, width: number, left: boolean, zero: boolean): ByteString {
  if (left) return text.padEnd(width);
  if (!zero) return text.padStart(width);
  const sign = /^[-+ ]|^0[xX]/.exec(text)?.[0] ?? "";
  return sign + text.slice(sign.length).padStart(width - sign.length, "0");
}

function convert(
  run: Run,
  arg: ByteString | undefined,
  flags: string,
  precision: number | undefined,
  conversion: string,
): ByteString {
  if (conversion === "s") return (arg ?? "").slice(0, precision);
  if (conversion === "c") return (arg ?? "").slice(0, 1);
  if (conversion === "b") {
    const { text, stop } = unescape(arg ?? "");
    run.stop = stop;
    return text.slice(0, precision);
  }
  if ("feEgG".includes(conversion)) return float(run, arg, flags, precision ?? 6, conversion);
  if (!"diouxX".includes(conversion)) throw shellError(`printf: %${conversion}: invalid directive`);
  return integer(integerOf(run, arg), flags, precision, conversion);
}

function integer(value: bigint, flags: string, precision: number | undefined, conversion: string): ByteString {
  const signed = "di".includes(conversion);
  const radix = signed || conversion === "u" ? 10 : conversion === "o" ? 8 : 16;
  const negative = signed && value < 0n;
  const digits = (negative ? -value : signed ? value : BigInt.asUintN(64, value))
    .toString(radix)
    .padStart(precision ?? 1, "0");
  const prefix = flags.includes("#") && value !== 0n ? (conversion === "o" ? "0" : radix === 16 ? "0x" : "") : "";
  const sign = negative ? "-" : signed && flags.includes("+") ? "+" : signed && flags.includes(" ") ? " " : "";
  const text = sign + prefix + digits;
  return conversion === "X" ? text.toUpperCase() : text;
}

function integerOf(run: Run, arg: ByteString | undefined): bigint {
  if (arg === undefined || arg === "") return 0n;
  if (/^["']/.test(arg)) return BigInt(arg.length > 1 ? arg.charCodeAt(1) : 0);
  const [, sign, digits, rest] = /^\s*([-+]?)(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9]\d*)(.*)$/s.exec(arg) ?? [];
  if (digits === undefined || rest !== "") run.failed = `${arg}: expected numeric value`;
  if (digits === undefined) return 0n;
  const value = BigInt(/^0[0-7]+$/.test(digits) ? `0o${digits.slice(1)}` : digits);
  return BigInt.asIntN(64, sign === "-" ? -value : value);
}

function float(
  run: Run,
  arg: ByteString | undefined,
  flags: string,
  precision: number,
  conversion: string,
): ByteString {
  const value = Number(arg ?? "0");
  if (Number.isNaN(value)) run.failed = `${arg ?? ""}: expected numeric value`;
  const number = Number.isNaN(value) ? 0 : value;
  const lower = conversion.toLowerCase();
  const text =
    lower === "f"
      ? number.toFixed(precision)
      : lower === "e"
        ? exponent(number, precision)
        : general(number, precision);
  const shown = flags.includes("+") && number >= 0 ? `+${text}` : text;
  return toByteString(lower === conversion ? shown : shown.toUpperCase());
}

/** C writes at least two digits of exponent. */
function exponent(value: number, precision: number): string {
  return value.toExponential(precision).replace(/e([-+])(\d)$/, "e$10$2");
}

function general(value: number, precision: number): string {
  const digits = Math.max(precision, 1);
  const power = value === 0 ? 0 : Math.floor(Math.log10(Math.abs(value)));
  const text =
    power < -4 || power >= digits ? exponent(value, digits - 1) : value.toFixed(Math.max(0, digits - 1 - power));
  return text.includes(".") ? text.replace(/\.?0+(?=e|$)/, "") : text;
}
