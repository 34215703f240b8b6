// One line of CSV as Go's encoding/csv reads it (RFC 4180): the values of --mount.
import { LapError } from "@lapstrake/base";

/** The fields of a line. Throws `ERR_LAP_FLAG_VALUE` in Go's words. */
export function csvFields(line: string): string[] {
  if (line === "") throw new LapError("invalidArgument", "ERR_LAP_FLAG_VALUE", "value is empty");
  const fields: string[] = [];
  for (let at = 0; at <= line.length;) {
    const { field, end } = line[at] === '"' ? quoted(line, at) : plain(line, at);
    fields.push(field);
    at = end + 1;
  }
  return fields;
}

interface Field {
  readonly field: string;
  /** Where the comma is. */
  readonly end: number;
}

function plain(line: string, start: number): Field {
  const comma = line.indexOf(",", start);
  const end = comma < 0 ? line.length : comma;
  const field = line.slice(start, end);
  const quote = field.indexOf('"');
  if (quote >= 0) throw parseError(start + quote + 1, 'bare " in non-quoted-field');
  return { field, end };
}

function quoted(line: string, start: number): Field {
  let field = "";
  for (let at = start + 1; at < line.length; at++) {
    if (line[at] !== '"') field += line[at];
    else if (line[at + 1] === '"') field += line[++at];
    else if (at + 1 === line.length || line[at + 1] === ",") return { field, end: at + 1 };
    else throw parseError(at + 1, 'extraneous or missing " in quoted-field');
  }
  throw parseError(line.length + 1, 'extraneous or missing " in quoted-field');
}

function parseError(column: number, why: string): LapError {
  return new LapError("invalidArgument", "ERR_LAP_FLAG_VALUE", `parse error on line 1, column ${column}: ${why}`);
}
