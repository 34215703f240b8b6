// Backslash escapes of echo and of printf's %b: \a \b \c \f \n \r \t \v \\ \0ooo.
import type { ByteString } from "@lapstrake/base";

const ESCAPES: Readonly<Record<string, string>> = {
  a: "\u0007",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  "\\": "\\",
};

/** The text with its escapes replaced; `stop` when \c ended it. */
export function unescape(text: ByteString): { text: ByteString; stop: boolean } {
  const end = /^(?:[^\\]|\\[^c])*?\\c/s.exec(text)?.[0];
  const used = end === undefined ? text : end.slice(0, -2);
  const out = used.replace(/\\(?:0([0-7]{0,3})|([abfnrtv\\]))/g, (_, octal?: string, letter?: string) =>
    letter === undefined ? byte(octal || "0") : ESCAPES[letter]!,
  );
  return { text: out, stop: end !== undefined };
}

/** The escapes of a printf format: as above, with \ooo instead of \0ooo. */
export function unescapeFormat(text: ByteString): ByteString {
  return text.replace(/\\(?:([0-7]{1,3})|([abfnrtv\\]))/g, (_, octal?: string, letter?: string) =>
    letter === undefined ? byte(octal!) : ESCAPES[letter]!,
  );
}

function byte(octal: string): string {
  return String.fromCharCode(Number.parseInt(octal, 8) & 0xff);
}
