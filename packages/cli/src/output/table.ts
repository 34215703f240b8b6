// Docker's tables: upper-case header, cells padded to the widest plus three blanks, the last column unpadded.

/** Rows under a header, one line each. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = header.map((title, i) => Math.max(title.length, ...rows.map((row) => [...(row[i] ?? "")].length)));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, i) => (i === cells.length - 1 ? cell : cell + " ".repeat(widths[i]! - [...cell].length + 3)))
      .join("");
  return [header, ...rows].map((row) => `${line(row)}\n`).join("");
}
