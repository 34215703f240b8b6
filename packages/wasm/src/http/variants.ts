// The variants `method` and `scheme` of wasi:http, and the text that they stand for.
import { isScheme, isToken } from "./syntax.ts";

/** A case of either; `other` carries its text. */
export interface Named {
  readonly tag: string;
  readonly val?: string;
}

const METHODS: ReadonlySet<string> = new Set([
  "get",
  "head",
  "post",
  "put",
  "delete",
  "connect",
  "options",
  "trace",
  "patch",
]);

/** The case of a method's text. */
export function methodOf(text: string): Named {
  const lower = text.toLowerCase();
  return METHODS.has(lower) && text === lower.toUpperCase() ? { tag: lower } : { tag: "other", val: text };
}

/** A method as a guest may set it, undefined when it is none. */
export function checkedMethod(method: Named): Named | undefined {
  if (method.tag !== "other") return method;
  return isToken(method.val ?? "") ? methodOf(method.val!) : undefined;
}

/** The text of a method. */
export function methodText(method: Named): string {
  return method.val ?? method.tag.toUpperCase();
}

/** A scheme as a guest may set it, undefined when it is none. */
export function checkedScheme(scheme: Named): Named | undefined {
  if (scheme.tag !== "other") return scheme;
  const text = scheme.val ?? "";
  if (/^https?$/.test(text)) return { tag: text.toUpperCase() };
  return isScheme(text) ? scheme : undefined;
}
