// --format of list commands: `json`, `table TEMPLATE`, and Go templates, one row a line.
import { compileTemplate, type TemplateOptions } from "../template/execute.ts";
import { goJson } from "../template/functions.ts";
import { table } from "./table.ts";

/** Docker's columns are texts; only what its daemon did not say is null. */
export type Row = Readonly<Record<string, string | null>>;

const HEADERS: Readonly<Record<string, string>> = {
  ID: "CONTAINER ID",
  RunningFor: "CREATED",
  CreatedSince: "CREATED",
  CreatedAt: "CREATED AT",
};

/** Every row in the wanted format. `defaultTable` is what a bare `table` shows. Throws `ERR_LAP_TEMPLATE`. */
export function formatRows(
  format: string,
  rows: readonly Row[],
  goType: string,
  defaultTable = "",
  headers: Readonly<Record<string, string>> = {},
): string {
  if (format === "json") return rows.map((row) => `${goJson(row)}\n`).join("");
  if (format === "table") return defaultTable;
  const isTable = format.startsWith("table ");
  const source = (isTable ? format.slice("table ".length) : format).replaceAll("\\t", "\t").replaceAll("\\n", "\n");
  const options: TemplateOptions = { goType, methods: { Label: (row, [name]) => labelOf(row as Row, String(name)) } };
  const render = compileTemplate(source, options);
  const lines = rows.map(render);
  if (!isTable) return lines.map((line) => `${line}\n`).join("");
  return table(
    headerOf(source, { ...HEADERS, ...headers }),
    lines.map((line) => line.split("\t")),
  );
}

function headerOf(source: string, headers: Readonly<Record<string, string>>): string[] {
  return source
    .split("\t")
    .map((column) =>
      column.replaceAll(/\{\{[^}]*\.(\w+)[^}]*\}\}/g, (_, name: string) => headers[name] ?? name.toUpperCase()),
    );
}

function labelOf(row: Row, name: string): string {
  const pair = (row["Labels"] ?? "").split(",").find((text) => text.startsWith(`${name}=`));
  return pair === undefined ? "" : pair.slice(name.length + 1);
}
