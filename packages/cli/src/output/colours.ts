// Colours for people: on a terminal that did not refuse them (NO_COLOR, no-color.org).

/** Puts text between an escape sequence and its end, or leaves it as it is. */
export type Paint = (sequence: string, text: string) => string;

/** True where colours are wanted. An empty NO_COLOR counts as none, as its convention says. */
export function wantsColours(stream: { readonly isTTY?: boolean }): boolean {
  return stream.isTTY === true && (process.env["NO_COLOR"] ?? "") === "";
}

/** For one stream. */
export function colours(stream: { readonly isTTY?: boolean }): Paint {
  if (!wantsColours(stream)) return (_, text) => text;
  return (sequence, text) => `${sequence}${text}\x1b[0m`;
}
