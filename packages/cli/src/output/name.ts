// Names of files inside images and containers are chosen by others: what is shown of them on a terminal does not steer it.

/** The text for standard output: as it is, or with control characters as "?" when that is a terminal. */
export function shownName(text: string): string {
  // oxlint-disable-next-line no-control-regex -- these are what is replaced
  return process.stdout.isTTY ? text.replaceAll(/[\x00-\x1f\x7f-\x9f]/g, "?") : text;
}
