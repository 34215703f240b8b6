// --format: `json`, `{{json .}}`, and templates of plain fields such as `{{.ID}} {{.Names}}`, with docker's errors.
import { LapError } from "@lapstrake/base";
import { table } from "./table.ts";

type Row = Readonly<Record<string, string>>;

const HEADERS: Readonly<Record<string, string>> = {
  ID: "CONTAINER ID",
  Names: "NAMES",
  RunningFor: "CREATED",
  CreatedSince: "CREATED",
  CreatedAt: "CREATED AT",
};

/** Every row in the wanted format. Throws `ERR_LAP_TEMPLATE`. */
export function formatRows(format: string, rows: readonly Row[], goType: string): string {
  if (format === "json" || format.trim() === "{{json .}}") return rows.map((row) => `${goJson(row)}\n`).join("");
  if (format === "table" || format.startsWith("table ")) return formatTable(format.slice(6), rows, goType);
  const text = unescape(format);
  return rows.map((row) => `${render(text, row, goType)}\n`).join("");
}

function formatTable(template: string, rows: readonly Row[], goType: string): string {
  const columns = unescape(template).split("\t");
  const header = columns.map((column) =>
    column.replaceAll(/\{\{\s*\.(\w+)\s*\}\}/g, (_, name: string) => HEADERS[name] ?? name.toUpperCase()),
  );
  return table(
    header,
    rows.map((row) => columns.map((column) => render(column, row, goType))),
  );
}

function unescape(text: string): string {
  return text.replaceAll("\\t", "\t").replaceAll("\\n", "\n");
}

function render(template: string, row: Row, goType: string): string {
  return template.replaceAll(/\{\{(.*?)\}\}/g, (_, body: string) => field(body.trim(), row, goType));
}

function field(body: string, row: Row, goType: string): string {
  const json = /^json \.(\w+)$/.exec(body);
  if (json !== null) return goJson(lookUp(json[1]!, row, goType));
  const label = /^\.Label "([^"]*)"$/.exec(body);
  if (label !== null) return labelOf(row, label[1]!);
  const plain = /^\.(\w+)$/.exec(body);
  if (plain !== null) return lookUp(plain[1]!, row, goType);
  throw new LapError("unimplemented", "ERR_LAP_TEMPLATE", `template action "{{${body}}}" is not supported yet`, {
    hint: "use plain fields, for example {{.ID}}, or --format json",
  });
}

function lookUp(name: string, row: Row, goType: string): string {
  const value = row[name];
  if (value !== undefined) return value;
  throw new LapError(
    "invalidArgument",
    "ERR_LAP_TEMPLATE",
    `failed to execute template: template: :1:2: executing "" at <.${name}>: can't evaluate field ${name} in type *${goType}`,
  );
}

function labelOf(row: Row, name: string): string {
  const pair = (row["Labels"] ?? "").split(",").find((text) => text.startsWith(`${name}=`));
  return pair === undefined ? "" : pair.slice(name.length + 1);
}

/** JSON as Go writes it: `<`, `>` and `&` escaped. */
export function goJson(value: unknown): string {
  return JSON.stringify(value).replaceAll(
    /[<>&\u2028\u2029]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
