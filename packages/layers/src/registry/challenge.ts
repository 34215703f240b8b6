// WWW-Authenticate (RFC 9110 §11.6.1): the schemes a registry offers, each with its parameters.
import { MAX_HEADER_LENGTH } from "./limits.ts";

/** One offered scheme, names in lower case. */
export interface Challenge {
  readonly scheme: string;
  readonly parameters: ReadonlyMap<string, string>;
}

const TOKEN = /[A-Za-z0-9!#$%&'*+.^_`|~-]+/y;
const VALUE = /\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([A-Za-z0-9!#$%&'*+.^_`|~:/-]+))/y;
const BETWEEN = /[\s,]*/y;

function match(pattern: RegExp, text: string, at: number): RegExpExecArray | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text) ?? undefined;
}

/** Parses the header's value; what does not parse ends the list, so a broken header offers less, never something else. */
export function parseChallenges(header: string): Challenge[] {
  const text = header.slice(0, MAX_HEADER_LENGTH);
  const found: { scheme: string; parameters: Map<string, string> }[] = [];
  let at = 0;
  for (;;) {
    at += match(BETWEEN, text, at)?.[0].length ?? 0;
    const word = match(TOKEN, text, at)?.[0];
    if (word === undefined) return found;
    at += word.length;
    const value = match(VALUE, text, at);
    if (value === undefined) {
      found.push({ scheme: word.toLowerCase(), parameters: new Map() });
      continue;
    }
    at += value[0].length;
    const name = word.toLowerCase();
    const parameters = found.at(-1)?.parameters;
    if (parameters === undefined) return [];
    if (!parameters.has(name)) parameters.set(name, value[1]?.replaceAll(/\\(.)/g, "$1") ?? value[2] ?? "");
  }
}
