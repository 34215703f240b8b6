// What templates print with: fmt.Sprint and fmt.Sprintf of Go.
import { goText, typeName, type Value } from "./values.ts";

/** fmt.Sprint: blanks between operands when neither is a text. */
export function print(args: readonly Value[]): string {
  return args
    .map((arg, i) => `${i > 0 && typeof arg !== "string" && typeof args[i - 1] !== "string" ? " " : ""}${goText(arg)}`)
    .join("");
}

const VERBS: Readonly<Record<string, (value: Value, precision: number | undefined) => string>> = {
  s: (value) => goText(value),
  v: (value) => goText(value),
  d: (value) => goText(value),
  t: (value) => goText(value),
  q: (value) => JSON.stringify(goText(value)),
  x: (value) => (typeof value === "number" ? value.toString(16) : Buffer.from(goText(value)).toString("hex")),
  X: (value) =>
    (typeof value === "number" ? value.toString(16) : Buffer.from(goText(value)).toString("hex")).toUpperCase(),
  o: (value) => Number(value).toString(8),
  b: (value) => Number(value).toString(2),
  c: (value) => String.fromCodePoint(Number(value)),
  f: (value, precision) => Number(value).toFixed(precision ?? 6),
  e: (value, precision) =>
    Number(value)
      .toExponential(precision ?? 6)
      .replace(/e([+-])(\d)$/, "e$10$2"),
  g: (value) => goText(value),
  T: (value) => typeName(value),
};

/** fmt.Sprintf; what does not fit is told in the text, as Go does. */
export function printf([format, ...args]: readonly Value[]): string {
  let next = 0;
  const text = String(format).replaceAll(
    /%([-+# 0]*)(\d*)(?:\.(\d+))?([a-zA-Z%])/g,
    (_, flags: string, width: string, precision: string | undefined, verb: string) => {
      if (verb === "%") return "%";
      if (next >= args.length) return `%!${verb}(MISSING)`;
      const value = args[next++];
      const asked = VERBS[verb];
      if (asked === undefined) return `%!${verb}(${typeName(value)}=${goText(value)})`;
      const limit = precision === undefined ? undefined : Number(precision);
      const plain = asked(value, limit);
      const cut = verb === "s" && limit !== undefined ? [...plain].slice(0, limit).join("") : plain;
      if (flags.includes("-")) return cut.padEnd(Number(width));
      return cut.padStart(Number(width), flags.includes("0") && typeof value === "number" ? "0" : " ");
    },
  );
  if (next >= args.length) return text;
  return `${text}%!(EXTRA ${args
    .slice(next)
    .map((value) => `${typeName(value)}=${goText(value)}`)
    .join(", ")})`;
}
