// --format of list commands: `json`, `table TEMPLATE`, and Go templates, one row a line.
import { LapError } from "@lapstrake/base";
import type { TemplateOptions } from "../template/evaluate.ts";
import { compileTemplate } from "../template/execute.ts";
import { goJson } from "../template/values.ts";
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
  if (format === "raw") throw noRaw();
  const isTable = format.startsWith("table");
  const trimmed = (isTable ? format.slice("table".length) : format).replaceAll(/^ +| +$/g, "");
  const source = trimmed.replaceAll("\\t", "\t").replaceAll("\\n", "\n");
  const options: TemplateOptions = { goType, methods: { Label: (row, [name]) => labelOf(row as Row, String(name)) } };
  // Docker's ps reads the template as it was typed, before it asks.
  const asTyped = goType === PS ? compileTemplate(format, { ...options, words: PS_WORDS }) : undefined;
  if (rows[0] !== undefined) asTyped?.(rows[0]);
  const render = compileTemplate(source, options);
  const lines = rows.map(render);
  if (!isTable) return lines.map((line) => `${line}\n`).join("");
  const header = headerOf(source, rows[0], { ...HEADERS, ...headers });
  return table(
    header.split("\t"),
    lines.map((line) => line.split("\t")),
  );
}

const PS = "formatter.ContainerContext";
const PS_WORDS = { parse: "failed to parse template", execute: "failed to execute template" };

/** The template over the titles of the fields, whose functions leave them as they are (docker/cli templates.HeaderFunctions). */
function headerOf(source: string, row: Row | undefined, titles: Readonly<Record<string, string>>): string {
  const names = [...Object.keys(row ?? {}), ...[...source.matchAll(/\.(\w+)/g)].map(([, name]) => name!)];
  const values = Object.fromEntries(names.map((name) => [name, titles[name] ?? name.toUpperCase()]));
  const Label = (_: unknown, [name]: readonly unknown[]): string =>
    String(name).split(".").at(-1)!.replaceAll(/[-_]/g, " ");
  return compileTemplate(source, { goType: "header", methods: { Label }, isHeader: true })(values);
}

function noRaw(): LapError {
  return new LapError("unimplemented", "ERR_LAP_NOT_SUPPORTED", "format raw is not supported: use json or a template");
}

function labelOf(row: Row, name: string): string {
  const pair = (row["Labels"] ?? "").split(",").find((text) => text.startsWith(`${name}=`));
  return pair === undefined ? "" : pair.slice(name.length + 1);
}
