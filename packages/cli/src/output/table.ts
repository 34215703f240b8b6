// Docker's tables: upper-case header, cells padded to the widest plus three blanks and at least ten wide, the last unpadded
// (Go's tabwriter with minwidth 10 and padding 3).

const MIN_WIDTH = 10;
const PADDING = 3;

/** Rows under a header, one line each. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = header.map((title, i) =>
    Math.max(MIN_WIDTH, PADDING + Math.max(title.length, ...rows.map((row) => [...(row[i] ?? "")].length))),
  );
  const line = (cells: readonly string[]): string =>
    cells.map((cell, i) => (i === cells.length - 1 ? cell : cell + " ".repeat(widths[i]! - [...cell].length))).join("");
  return [header, ...rows].map((row) => `${line(row)}\n`).join("");
}
